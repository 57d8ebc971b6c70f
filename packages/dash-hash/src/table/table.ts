/**
 * The hash table that programs use. What it does is in the files beside this one; here are the checks
 * of arguments.
 *
 *     const table = DashTable.open(region);
 *     table.set(key, value);
 *     table.get(key);
 *
 * Records are named by their addresses, which `find` gives and the accessors take. An address is good
 * until the next write to any table of the region: the record may move then. Visitors of `scan` and
 * iterations of `entries` must not be interleaved with writes to the table.
 *
 * Concurrency: the thread that opened the region. Other threads use `DashReader`.
 */
import type { Region } from '@nendb/pmem';
import { TABLE, TABLE_LIVE } from '../format.js';
import type { RecordReader } from '../log/record.js';
import { type DashShare, shareTable } from '../reader/share.js';
import { Space, type SpaceOptions } from '../space/space.js';
import { checkCursor, checkLengths, checkMarks, checkPatch, checkSeed } from './arguments.js';
import { TableCore } from './core.js';
import { createTable, type Seed, tableAtRoot } from './create.js';
import { clearTable, dropTable, freeDropped } from './drop.js';
import { repairFrom } from './repair.js';
import { reserveRoom } from './reserve.js';
import { type RecordVisitor, sampleTable, scanHash, scanTable } from './scan.js';
import { type TableStats, tableStats } from './stats.js';
import { type TableVerdict, verifyTable } from './verify.js';
import { patchEntry, remarkEntry, removeEntry, setEntry, setFound } from './writes.js';

export interface CreateOptions extends SpaceOptions {
  /** Two 32-bit numbers: the key of the hash. Random where it is left out. */
  seed?: Seed;
  /** A 32-bit word of the owner's: images say it with each entry. 0 where it is left out. */
  tag?: number;
}

export interface OpenOptions extends CreateOptions {
  /** Which of the region's tables: 0 to 63. */
  root?: number;
}

export interface Marks {
  /** A byte of the caller's; 0 where it is left out. */
  flags?: number;
  /** Milliseconds since 1970; 0, or left out: never. The table stores it and does nothing else. */
  expireAtMs?: number;
}

export class DashTable {
  readonly #space: Space;
  readonly #core: TableCore;
  readonly #reader: RecordReader;
  /** Where `recoverStep` goes on. */
  #recoverIndex = 0;

  /** The table at a root slot of the region; made where there is none. Throws `DASH_CORRUPT`, `DASH_TOO_NEW`. */
  static open(region: Region, options: OpenOptions = {}): DashTable {
    const space = Space.of(region, options);
    const { root = 0, tag = 0 } = options;
    const seed = options.seed === undefined ? undefined : checkSeed(options.seed);
    const address =
      tableAtRoot(space, root) || createTable(space, seed ?? space.newSeed(), tag, root);
    return new DashTable(space, address);
  }

  /**
   * Makes a table that no root names; returns its address. Who keeps it, in a record of another table
   * or elsewhere, finds it again with `at`. Throws `PMEM_EXHAUSTED`.
   */
  static create(region: Region, options: CreateOptions = {}): number {
    const space = Space.of(region, options);
    const seed = options.seed === undefined ? space.newSeed() : checkSeed(options.seed);
    return createTable(space, seed, options.tag ?? 0);
  }

  /** The table at an address. Throws `DASH_NO_TABLE`. */
  static at(region: Region, address: number): DashTable {
    return new DashTable(Space.of(region), address);
  }

  private constructor(space: Space, address: number) {
    this.#space = space;
    this.#core = new TableCore(space);
    this.#reader = space.log.reader;
    this.#core.bind(address);
  }

  /** Turns this object to another table of the region. Throws `DASH_NO_TABLE`. */
  rebind(address: number): this {
    if (address !== this.#core.unit) {
      this.#core.bind(address);
      this.#recoverIndex = 0;
    }
    return this;
  }

  /**
   * Turns this object to the table at an address if it is live and has that tag; whether it has. For
   * addresses that were kept where a crash may have come between.
   */
  tryRebind(address: number, tag: number): boolean {
    const core = this.#core;
    if (address !== core.unit) this.#recoverIndex = 0;
    else if (core.state === TABLE_LIVE && this.tag === tag) return true;
    if (core.tryBind(address) && core.state === TABLE_LIVE && this.tag === tag) return true;
    core.unbind();
    return false;
  }

  get address(): number {
    return this.#core.unit;
  }

  get tag(): number {
    return this.#core.headerWord(TABLE.tag);
  }

  /** Entries. After a crash, asking repairs the whole table first. */
  get size(): number {
    if (this.#core.lazy) this.recover();
    return this.#core.headerWord(TABLE.count);
  }

  /** Sets an entry; whether it is new. Throws as `put` does. */
  set(key: Uint8Array, value: Uint8Array, marks: Marks = {}): boolean {
    const { flags = 0, expireAtMs = 0 } = marks;
    return this.put(key, 0, key.length, value, 0, value.length, flags, expireAtMs);
  }

  /**
   * Sets the entry of the key `key[keyFrom, keyTo)`; whether it is new. Throws `PMEM_EXHAUSTED`,
   * `DASH_TOO_LARGE`, `DASH_TOO_DEEP`, `DASH_BAD_OPTION`, and nothing was changed.
   */
  put(
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    flags: number,
    expireAtMs: number,
  ): boolean {
    checkLengths(keyTo - keyFrom, valueTo - valueFrom);
    if (flags !== 0 || expireAtMs !== 0) checkMarks(flags, expireAtMs);
    return setEntry(this.#core, key, keyFrom, keyTo, value, valueFrom, valueTo, flags, expireAtMs);
  }

  /**
   * `put` for the key that the last call, a `find`, looked for: it is not looked for again. `found`
   * says whether it was there.
   */
  putFound(
    found: boolean,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    flags: number,
    expireAtMs: number,
  ): void {
    checkLengths(keyTo - keyFrom, valueTo - valueFrom);
    if (flags !== 0 || expireAtMs !== 0) checkMarks(flags, expireAtMs);
    const core = this.#core;
    setFound(core, found, key, keyFrom, keyTo, value, valueFrom, valueTo, flags, expireAtMs);
  }

  /**
   * Gives an entry other flags and another time, without its value; `false` where there is none.
   * Costs a copy of a short record, of a long one the list of its pieces.
   */
  remark(key: Uint8Array, from: number, to: number, flags: number, expireAtMs: number): boolean {
    checkMarks(flags, expireAtMs);
    return remarkEntry(this.#core, key, from, to, flags, expireAtMs);
  }

  /**
   * Writes `bytes[bytesFrom, bytesTo)` to `at` of a value, which is `newLength` bytes long afterwards;
   * zeros fill a gap, a missing entry is an empty value first. Of a long value only the pieces that
   * change are written. Throws as `put` does.
   */
  patch(
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    at: number,
    bytes: Uint8Array,
    bytesFrom: number,
    bytesTo: number,
    newLength: number,
  ): void {
    checkLengths(keyTo - keyFrom, newLength);
    checkPatch(at, bytesTo - bytesFrom, newLength);
    const patch = { at, bytes, from: bytesFrom, to: bytesTo, newLength };
    patchEntry(this.#core, key, keyFrom, keyTo, patch);
  }

  /** A copy of the value. */
  get(key: Uint8Array): Uint8Array | undefined {
    const record = this.#core.find(key, 0, key.length);
    if (record === 0) return undefined;
    const value = new Uint8Array(this.#reader.valueBytes(record));
    this.#reader.copyValue(record, value, 0);
    return value;
  }

  /** Copies the value to `target` at `at`; its length in bytes, or -1 where there is none. */
  getInto(key: Uint8Array, target: Uint8Array, at: number): number {
    const record = this.#core.find(key, 0, key.length);
    return record === 0 ? -1 : this.#reader.copyValue(record, target, at);
  }

  has(key: Uint8Array): boolean {
    return this.#core.find(key, 0, key.length) !== 0;
  }

  /** The record of the key `bytes[from, to)`, or 0. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#core.find(bytes, from, to) >>> 0;
  }

  /** The hash of the key that was looked for last, from 0 to 2^32 - 1: its place in a scan. */
  get hash(): number {
    return this.#core.hash >>> 0;
  }

  /** Visits the records whose keys have this hash: one, but for collisions. */
  scanHash(hash: number, visit: RecordVisitor): void {
    scanHash(this.#core, hash, visit);
  }

  /** Removes an entry; whether there was one. Needs no space. */
  delete(key: Uint8Array): boolean {
    return removeEntry(this.#core, key, 0, key.length);
  }

  /** Removes the entry of the key `bytes[from, to)`; whether there was one. */
  remove(bytes: Uint8Array, from: number, to: number): boolean {
    return removeEntry(this.#core, bytes, from, to);
  }

  /** Accessors of records: lengths in bytes, copies by value. */
  get records(): RecordReader {
    return this.#reader;
  }

  /**
   * Visits about `count` entries from `cursor` (0 begins); the next cursor, 0 at the end. An entry
   * that is there from the first call to the last is visited at least once.
   */
  scan(cursor: number, count: number, visit: RecordVisitor): number {
    checkCursor(cursor);
    return scanTable(this.#core, cursor, Math.max(1, count), visit);
  }

  /** Every entry, copied. */
  *entries(): IterableIterator<[key: Uint8Array, value: Uint8Array]> {
    let cursor = 0;
    const batch: [Uint8Array, Uint8Array][] = [];
    do {
      cursor = this.scan(cursor, ENTRIES_AT_ONCE, (record) => {
        const key = new Uint8Array(this.#reader.keyBytes(record));
        const value = new Uint8Array(this.#reader.valueBytes(record));
        this.#reader.copyKey(record, key, 0);
        this.#reader.copyValue(record, value, 0);
        batch.push([key, value]);
      });
      yield* batch;
      batch.length = 0;
    } while (cursor !== 0);
  }

  /**
   * The record that `random`, from 0 to below 1, falls on, or 0 where the table is empty. Evenly
   * spread numbers meet every entry, none much more often than its share.
   */
  sample(random: number): number {
    return sampleTable(this.#core, random) >>> 0;
  }

  /**
   * Sees to it that `entries` further entries of `bytes` bytes together (keys and values) can be set
   * without meeting a full region. Throws `PMEM_EXHAUSTED`.
   */
  reserve(entries: number, bytes: number): void {
    reserveRoom(this.#core, entries, bytes);
  }

  /** Removes every entry, at once; the memory comes back in steps (`DashSpace.maintain`). */
  clear(): void {
    clearTable(this.#core);
  }

  /**
   * Gives the table up: no object finds anything in it any more, at once. Frees about `entriesMax`
   * entries of what was given up so far; whether everything is freed (`DashSpace.maintain` goes on).
   */
  free(entriesMax: number): boolean {
    if (this.#core.unit !== 0) {
      dropTable(this.#core);
      this.#core.unbind();
    }
    return !freeDropped(this.#space, entriesMax);
  }

  /** Whether parts of the table are still to be looked at after a crash. */
  get recovering(): boolean {
    return this.#core.lazy;
  }

  /** Repairs up to `segmentsMax` segments that nobody touched yet; whether all are done. */
  recoverStep(segmentsMax: number): boolean {
    this.#recoverIndex = repairFrom(this.#core, this.#recoverIndex, segmentsMax);
    if (this.#recoverIndex !== -1) return false;
    this.#recoverIndex = 0;
    return true;
  }

  /** Repairs everything that a crash left. */
  recover(): void {
    while (!this.recoverStep(Number.POSITIVE_INFINITY));
  }

  /**
   * Lets one other thread read the table: `worker.postMessage(handle, transfer)`, there
   * `DashReader.attach(handle)`. Repairs what a crash left first. Throws `PMEM_NOT_SHARED`.
   */
  share(): DashShare {
    if (this.#core.lazy) this.recover();
    return shareTable(this.#space, this.#core.unit);
  }

  get stats(): TableStats {
    return tableStats(this.#core);
  }

  /** Walks the whole table: structure, hashes, records, counts. Reads only. */
  verify(): TableVerdict {
    if (this.#core.lazy) this.recover();
    return verifyTable(this.#core);
  }
}

const ENTRIES_AT_ONCE = 64;
