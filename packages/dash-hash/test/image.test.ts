/** R16: an image is the state at one moment, of every table, whatever is written meanwhile. */
import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { DashImage, DashSpace, DashTable } from '../src/index.js';
import { random } from './random.js';

const MiB = 1024 * 1024;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** What the visitor was given: `tag key` and value. */
class Visited {
  readonly entries = new Map<string, string>();
  twice = 0;

  constructor(readonly space: DashSpace) {}

  readonly visit = (_table: number, tag: number, record: number) => {
    const { records } = this.space;
    const key = Buffer.alloc(records.keyBytes(record));
    const value = Buffer.alloc(records.valueBytes(record));
    records.copyKey(record, key, 0);
    records.copyValue(record, value, 0);
    const name = `${tag} ${key}`;
    if (this.entries.has(name)) this.twice++;
    this.entries.set(name, `${value}`);
  };
}

function filled(entries: number, tables: number) {
  const region = Region.heap(128 * MiB);
  const space = DashSpace.of(region, { chunkBytes: 65_536 });
  const model = new Map<string, string>();
  const all = Array.from({ length: tables }, (_, tag) =>
    DashTable.at(region, DashTable.create(region, { tag })),
  );
  for (let i = 0; i < entries; i++) {
    all[i % tables].set(bytes(`key ${i}`), bytes(`value ${i}`));
    model.set(`${i % tables} key ${i}`, `value ${i}`);
  }
  return { region, space, all, model };
}

describe('R16: an image of a region', () => {
  for (const [entries, tables] of [
    [20_000, 1],
    [5_000, 40],
    [300, 200],
  ]) {
    it(`is exact while ${tables} tables with ${entries} entries are overwritten, emptied and grow`, () => {
      const { space, all, model } = filled(entries, tables);
      const next = random(entries);
      const visited = new Visited(space);
      const image = space.image(visited.visit);
      for (let more = true; more; ) {
        for (let i = 0; i < 300; i++) {
          const table = all[next(tables)];
          const key = bytes(`key ${next(entries * 2)}`);
          if (next(3) === 0) table.delete(key);
          else table.set(key, bytes(`later ${i}`));
        }
        more = image.next(100);
      }
      image.release();
      expect(visited.twice).toBe(0);
      expect(visited.entries).toEqual(model);
      for (const table of all) expect(table.verify().problems).toEqual([]);
    });
  }

  it('has the entries of tables that are cleared and freed while it is read', () => {
    const { region, space, all, model } = filled(6_000, 12);
    const visited = new Visited(space);
    const image = space.image(visited.visit);
    for (let step = 0, more = true; more; step++) {
      if (step < 6) all[step].clear();
      else if (step < 12) all[step].free(100);
      for (let i = 0; i < 50; i++) all[0].set(bytes(`again ${step} ${i}`), bytes('x'));
      DashTable.create(region, { tag: 100 + step });
      space.maintain(200);
      more = image.next(150);
    }
    image.release();
    expect(visited.entries).toEqual(model);
    expect(visited.twice).toBe(0);
  });

  it('leaves out what was given up before it began', () => {
    const { space, all, model } = filled(3_000, 3);
    all[1].clear();
    all[2].free(10);
    for (const name of model.keys()) if (!name.startsWith('0 ')) model.delete(name);
    const visited = new Visited(space);
    const image = space.image(visited.visit);
    while (image.next(64));
    expect(visited.entries).toEqual(model);
  });

  it('keeps every record where it is until it is released, and counts what that costs', () => {
    const { space, all } = filled(2_000, 1);
    const addresses = new Set<number>();
    const image = space.image((_table, _tag, record) => addresses.add(record));
    while (image.next(500));
    const before = image.retainedBytes;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 2_000; i++) all[0].set(bytes(`key ${i}`), bytes(`round ${round} `));
    }
    expect(image.retainedBytes - before).toBeGreaterThan(50 * 2_000 * 24);
    const emptied = space.stats.chunksEmptied;
    for (const record of addresses) {
      const value = Buffer.alloc(space.records.valueBytes(record));
      space.records.copyValue(record, value, 0);
      if (!`${value}`.startsWith('value ')) expect(`${value}`).toBe('value');
    }
    const { garbageBytes } = space.stats;
    image.release();
    expect(image.retainedBytes).toBe(0);
    while (space.maintain(100_000));
    expect(space.stats.chunksEmptied).toBeGreaterThan(emptied);
    expect(space.stats.garbageBytes).toBeLessThan(garbageBytes / 2);
  });

  it('is one at a time, comes from region.image(), and ends with its release', () => {
    const { region, space } = filled(100, 1);
    const image = region.image();
    expect(() => region.image()).toThrow(expect.objectContaining({ code: 'DASH_IMAGE_ACTIVE' }));
    let seen = 0;
    if (image instanceof DashImage) image.visitor = () => seen++;
    while (image.next(10));
    expect(seen).toBe(100);
    image.release();
    expect(() => image.next(1)).toThrow(expect.objectContaining({ code: 'DASH_CLOSED' }));
    space.image(() => {}).release();
  });
});
