/**
 * A table beside a Map: every operation goes to both, every answer is compared. Nested tables, images
 * and scans under way are part of the world, so that they meet everything else.
 */
import { Region } from '@nendb/pmem';
import { expect } from 'vitest';
import type { DashImage } from '../../src/index.js';
import { DashSpace, DashTable } from '../../src/index.js';

export interface Expected {
  value: Buffer;
  flags: number;
  expireAtMs: number;
}

export interface Options {
  bytesMax: number;
  chunkBytes: number;
  seed: [number, number];
}

/** A scan under way: what was there all the time must be visited. */
interface Scan {
  table: DashTable;
  cursor: number;
  stays: Set<string>;
}

interface Image {
  image: DashImage;
  left: Map<string, Expected>;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const raw = (key: string) => Buffer.from(key, 'latin1');

export class World {
  readonly region: Region;
  readonly space: DashSpace;
  readonly tables: { table: DashTable; model: Map<string, Expected> }[] = [];
  #scan: Scan | undefined;
  #image: Image | undefined;
  #tags = 0;

  constructor(readonly options: Options) {
    this.region = Region.heap(options.bytesMax);
    this.space = DashSpace.of(this.region, { chunkBytes: options.chunkBytes });
    const table = DashTable.open(this.region, { seed: options.seed, tag: this.#tags++ });
    this.tables.push({ table, model: new Map() });
  }

  set(which: number, key: string, value: Buffer, flags: number, expireAtMs: number): void {
    const { table, model } = this.#table(which);
    const fresh = table.set(raw(key), value, { flags, expireAtMs });
    if (fresh === model.has(key)) expect(fresh).toBe(!fresh);
    model.set(key, { value, flags, expireAtMs });
  }

  delete(which: number, key: string): void {
    const { table, model } = this.#table(which);
    const there = table.delete(raw(key));
    if (there !== model.delete(key)) expect(there).toBe(!there);
    this.#forget(table, key);
  }

  remark(which: number, key: string, flags: number, expireAtMs: number): void {
    const { table, model } = this.#table(which);
    const expected = model.get(key);
    const bytes = raw(key);
    const there = table.remark(bytes, 0, bytes.length, flags, expireAtMs);
    if (there !== (expected !== undefined)) expect(there).toBe(!there);
    if (expected !== undefined) model.set(key, { ...expected, flags, expireAtMs });
  }

  patch(which: number, key: string, at: number, bytes: Buffer, newLength: number): void {
    const { table, model } = this.#table(which);
    const old = model.get(key) ?? { value: Buffer.alloc(0), flags: 0, expireAtMs: 0 };
    const value = Buffer.alloc(newLength);
    old.value.copy(value);
    bytes.copy(value, at);
    const name = raw(key);
    table.patch(name, 0, name.length, at, bytes, 0, bytes.length, newLength);
    model.set(key, { ...old, value });
  }

  get(which: number, key: string): void {
    const { table, model } = this.#table(which);
    this.#compare(table, key, model.get(key));
  }

  sample(which: number, random: number): void {
    const { table, model } = this.#table(which);
    const record = table.sample(random);
    expect(record !== 0).toBe(model.size > 0);
    if (record !== 0) expect(model.has(this.#keyOf(record))).toBe(true);
  }

  clear(which: number): void {
    const { table, model } = this.#table(which);
    for (const key of model.keys()) this.#forget(table, key);
    model.clear();
    table.clear();
  }

  create(tablesMax: number): void {
    if (this.tables.length >= tablesMax) return;
    const address = DashTable.create(this.region, { tag: this.#tags++ });
    this.tables.push({ table: DashTable.at(this.region, address), model: new Map() });
  }

  free(which: number): void {
    if (this.tables.length < 2) return;
    const [{ table }] = this.tables.splice(1 + (which % (this.tables.length - 1)), 1);
    if (this.#scan?.table === table) this.#scan = undefined;
    table.free(10);
    expect(() => table.has(raw('x'))).toThrow(expect.objectContaining({ code: 'DASH_NO_TABLE' }));
  }

  /** Goes on with the scan, or begins one. */
  scan(which: number, count: number): void {
    const { table, model } = this.#table(which);
    this.#scan ??= { table, cursor: 0, stays: new Set(model.keys()) };
    const scan = this.#scan;
    scan.cursor = scan.table.scan(scan.cursor, count, (record) => {
      scan.stays.delete(this.#keyOf(record));
    });
    if (scan.cursor !== 0) return;
    expect([...scan.stays]).toEqual([]);
    this.#scan = undefined;
  }

  /** Goes on with the image, or begins one. */
  image(entries: number): void {
    if (this.#image === undefined) {
      const left = new Map<string, Expected>();
      for (const { table, model } of this.tables) {
        for (const [key, expected] of model) left.set(`${table.tag} ${key}`, expected);
      }
      const image = this.space.image((_, tag, record) => {
        const name = `${tag} ${this.#keyOf(record)}`;
        this.#compareRecord(record, left.get(name));
        left.delete(name);
      });
      this.#image = { image, left };
    }
    if (this.#image.image.next(entries)) return;
    expect([...this.#image.left.keys()]).toEqual([]);
    this.#image.image.release();
    this.#image = undefined;
  }

  maintain(units: number): void {
    this.space.maintain(units);
  }

  /** Everything, compared and verified. */
  check(): void {
    for (const { table, model } of this.tables) {
      const verdict = table.verify();
      expect(verdict.problems).toEqual([]);
      expect(table.size).toBe(model.size);
      for (const [key, expected] of model) this.#compare(table, key, expected);
    }
    expect(this.space.verify().problems).toEqual([]);
    const records = this.tables.reduce((sum, { table }) => sum + table.stats.recordBytes, 0);
    expect(this.space.stats.liveBytes).toBeGreaterThanOrEqual(records);
  }

  /** Ends images, frees everything that waits, and compares the memory. */
  settle(): void {
    while (this.#image !== undefined) this.image(1000);
    while (this.space.maintain(10_000));
    const records = this.tables.reduce((sum, { table }) => sum + table.stats.recordBytes, 0);
    expect(this.space.stats.liveBytes).toBe(records);
  }

  #table(which: number): (typeof this.tables)[number] {
    return this.tables[which % this.tables.length];
  }

  #forget(table: DashTable, key: string): void {
    if (this.#scan?.table === table) this.#scan.stays.delete(key);
  }

  #keyOf(record: number): string {
    const { records } = this.space;
    const key = new Uint8Array(records.keyBytes(record));
    records.copyKey(record, key, 0);
    return text(key);
  }

  #compare(table: DashTable, key: string, expected: Expected | undefined): void {
    const bytes = raw(key);
    const record = table.find(bytes, 0, bytes.length);
    if ((record === 0) !== (expected === undefined)) {
      expect(record, `record of ${key.slice(0, 40)}`).toBe(expected);
    }
    if (record !== 0) this.#compareRecord(record, expected);
  }

  #compareRecord(record: number, expected: Expected | undefined): void {
    const { records } = this.space;
    const value = Buffer.alloc(records.valueBytes(record));
    records.copyValue(record, value, 0);
    const same =
      expected !== undefined &&
      value.equals(expected.value) &&
      records.flags(record) === expected.flags &&
      records.expireAtMs(record) === expected.expireAtMs;
    if (!same) expect({ value, flags: records.flags(record) }).toEqual(expected);
  }
}
