import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Snapshot } from '@nendb/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, contents, header, refusal, uuid } from './fixture.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-snapshot-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('on the real machine, through a worker thread', () => {
  it('loads what was written, in a directory that was missing', async () => {
    const data = contents(1, 1_000_003);
    const sub = join(dir, 'a', 'b');
    const chunks = [data.subarray(0, 7), data.subarray(7)];
    const info = await Snapshot.write(sub, { ...header(1), chunks });
    expect(readdirSync(sub)).toEqual(['nendb.snapshot']);
    const image = await Snapshot.load(sub, { uuid });
    expect(image).toMatchObject({ header: header(1), source: 'newest', info });
    expect(image?.reason).toBeUndefined();
    expect(data.equals(await bytesOf(image!))).toBe(true);
  });

  it('keeps two images, lists and verifies them', async () => {
    for (const n of [1, 2, 3]) {
      await Snapshot.write(dir, { ...header(n), chunks: [contents(n)] });
    }
    expect(readdirSync(dir).sort()).toEqual(['nendb.snapshot', 'nendb.snapshot.bak']);
    const infos = await Snapshot.list(dir);
    expect(infos.map((info) => info.header)).toEqual([header(3), header(2)]);
    const reports = await Snapshot.verify(dir);
    expect(reports.map(({ state }) => state)).toEqual(['valid', 'valid']);
  });

  it('tells a failure of the system with its cause', async () => {
    mkdirSync(join(dir, 'nendb.snapshot'));
    const error = await refusal(Snapshot.write(dir, { ...header(1), chunks: [contents(1)] }));
    expect(error.code).toBe('SNAPSHOT_IO');
    expect(error.cause).toMatchObject({ code: 'EISDIR' });
    expect(readdirSync(dir)).toEqual(['nendb.snapshot']);
    expect((await refusal(Snapshot.load(dir))).code).toBe('SNAPSHOT_IO');
  });
});
