/**
 * R6: tables that version 1 wrote are read forever. `fixtures/dash-v1.bin.gz` is memory as it was in
 * the middle of freeing a table; `contents.ts` wrote it.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { openSim } from '@nendb/pmem/sim';
import { describe, expect, it } from 'vitest';
import { SPACE } from '../src/format.js';
import { DashSpace, DashTable } from '../src/index.js';
import { BYTES_MAX, missingIn, write } from './fixtures/contents.js';

const FIXTURE = new URL('./fixtures/dash-v1.bin.gz', import.meta.url);

/** The fixture with one word of the space changed. */
function opened(word?: number, value = 0) {
  const image = Uint8Array.from(gunzipSync(readFileSync(FIXTURE)));
  const { region } = openSim({ bytesMax: BYTES_MAX, image });
  if (word !== undefined) region.windows[0].store32(region.root(0) / 4 + word, value);
  return region;
}

describe('R6: tables of version 1', () => {
  it('are read, repaired and used', () => {
    const region = opened();
    expect(missingIn(region)).toEqual([]);
    const table = DashTable.open(region);
    expect(table.verify().problems).toEqual([]);
    expect(table.size).toBe(603);
    while (DashSpace.of(region).maintain(1000));
    expect(DashSpace.of(region).verify()).toMatchObject({ ok: true, tables: 2, droppedTables: 0 });
    table.set(new Uint8Array(3), new Uint8Array(5));
    expect(table.size).toBe(604);
  });

  it('are written as they are read', () => {
    const { region } = openSim({ bytesMax: BYTES_MAX });
    write(region);
    expect(missingIn(region)).toEqual([]);
  });

  it('of a later version, or with features that are not known, are refused', () => {
    const tooNew = expect.objectContaining({ code: 'DASH_TOO_NEW' });
    expect(() => DashTable.open(opened(SPACE.version, 2))).toThrow(tooNew);
    expect(() => DashTable.open(opened(SPACE.incompat, 1))).toThrow(tooNew);
    expect(() => DashTable.open(opened(SPACE.readOnlyCompat, 4))).toThrow(tooNew);
    expect(missingIn(opened(SPACE.compat, 8))).toEqual([]);
  });

  it('are told from whatever else lies at the root', () => {
    const corrupt = expect.objectContaining({ code: 'DASH_CORRUPT' });
    expect(() => DashTable.open(opened(SPACE.magic, 5))).toThrow(corrupt);
  });
});
