/** What is refused, with which code. */
import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { DashReader, DashSpace, DashTable } from '../src/index.js';

const KiB = 1024;
const key = new Uint8Array([1]);
const code = (name: string) => expect.objectContaining({ name: 'DashError', code: name });
const table = () => DashTable.open(Region.heap(1024 * KiB));

describe('a table refuses', () => {
  it.each([
    ['flags that are no byte', { flags: 256 }],
    ['flags that are not whole', { flags: 1.5 }],
    ['a time before 1970', { expireAtMs: -1 }],
    ['a time that is not whole', { expireAtMs: 0.5 }],
    ['a time beyond what a number holds', { expireAtMs: 2 ** 53 }],
  ])('%s', (_what, marks) => {
    const one = table();
    expect(() => one.set(key, key, marks)).toThrow(code('DASH_BAD_OPTION'));
    expect(one.size).toBe(0);
  });

  it('a cursor that no scan gave', () => {
    for (const cursor of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(() => table().scan(cursor, 1, () => {})).toThrow(code('DASH_BAD_OPTION'));
    }
  });

  it('a patch beyond the value', () => {
    const one = table();
    expect(() => one.patch(key, 0, 1, 5, key, 0, 1, 5)).toThrow(code('DASH_BAD_OPTION'));
    expect(() => one.patch(key, 0, 1, -1, key, 0, 1, 5)).toThrow(code('DASH_BAD_OPTION'));
  });

  it('entries longer than any', () => {
    const one = table();
    expect(() => one.put(key, 0, 2 ** 31, key, 0, 1, 0, 0)).toThrow(code('DASH_TOO_LARGE'));
    expect(() => one.put(key, 0, 1, key, 0, 2 ** 31, 0, 0)).toThrow(code('DASH_TOO_LARGE'));
  });

  it('roots, seeds and chunks that cannot be', () => {
    const region = Region.heap(1024 * KiB);
    for (const chunkBytes of [1024, 3000, 2 ** 21]) {
      expect(() => DashTable.open(region, { chunkBytes })).toThrow(code('DASH_BAD_OPTION'));
    }
    for (const root of [-1, 64, 0.5]) {
      expect(() => DashTable.open(region, { root })).toThrow(code('DASH_BAD_OPTION'));
    }
    expect(() => DashTable.open(region, { seed: [1, 0.5] })).toThrow(code('DASH_BAD_OPTION'));
  });

  it('addresses that are no table, and tables that were given up', () => {
    const region = Region.heap(1024 * KiB);
    const address = DashTable.create(region);
    const one = DashTable.at(region, address);
    const other = DashTable.at(region, address);
    one.set(key, key);
    one.free(0);
    expect(() => other.get(key)).toThrow(code('DASH_NO_TABLE'));
    expect(() => one.get(key)).toThrow(code('DASH_NO_TABLE'));
    expect(() => DashTable.at(region, address)).toThrow(code('DASH_NO_TABLE'));
    expect(one.free(100)).toBe(true);
    expect(() => DashTable.at(region, address)).toThrow(code('DASH_NO_TABLE'));
    expect(DashSpace.of(region).verify()).toMatchObject({ ok: true, tables: 0 });
  });

  it('handles that no table gave', () => {
    for (const handle of [undefined, null, 7, {}, { kind: 'nendb-region' }]) {
      expect(() => DashReader.attach(handle)).toThrow(code('DASH_BAD_OPTION'));
    }
  });

  it('reads through a reader that was closed', () => {
    const one = table();
    one.set(key, key);
    const reader = DashReader.attach(one.share().handle);
    expect(reader.get(key)).toEqual(key);
    reader.close();
    expect(() => reader.get(key)).toThrow(code('DASH_CLOSED'));
    expect(() => reader.read(() => 1)).toThrow(code('DASH_CLOSED'));
  });
});

describe('tables of a region that was closed', () => {
  it('are opened again with everything they had', () => {
    const region = Region.heap(1024 * KiB);
    const one = DashTable.open(region, { root: 5 });
    for (let i = 0; i < 1000; i++) one.set(Buffer.from(`${i}`), key);
    DashSpace.of(region).close();
    const again = DashTable.open(region, { root: 5 });
    expect(again.recovering).toBe(false);
    expect(again.size).toBe(1000);
    again.set(key, key);
    expect(again.verify().problems).toEqual([]);
    expect(DashSpace.of(region).verify().problems).toEqual([]);
  });
});
