/**
 * A multi-version store over a Map, run by an oracle, that writes down who read and wrote what.
 *
 * It drops every version that `oldestActive` allows to drop, and keeps a second copy of all versions
 * beside it: what a read finds in the first must be what it would have found in the second.
 */
import { type Oracle, OracleError, type OracleTransaction } from '../../src/index.js';
import type { History } from './serializability.js';

interface Version {
  timestamp: number;
  /** The transaction that wrote it. */
  writer: number;
  /** `undefined` is a tombstone. */
  value: number | undefined;
}

/** A transaction under way. */
export interface Running {
  readonly id: number;
  readonly txn: OracleTransaction;
  /** Key -> version seen: the writer's id, 0 where there was none. */
  readonly reads: Map<string, number>;
  readonly writes: Map<string, number | undefined>;
}

/** A commit under way, where versions arrive one at a time. */
interface SlowCommit {
  running: Running;
  timestamp: number;
  rest: [key: string, value: number | undefined][];
}

export class VersionedMap {
  readonly history: History = { committed: [] };
  readonly #oracle: Oracle;
  /** All keys that there may be, in order: a range read says of each what it saw. */
  readonly #universe: readonly string[];
  readonly #versions = new Map<string, Version[]>();
  readonly #everyVersion = new Map<string, Version[]>();
  #nextId = 1;
  #slow: SlowCommit | undefined;

  constructor(oracle: Oracle, universe: readonly string[]) {
    this.#oracle = oracle;
    this.#universe = universe;
    for (const key of universe) {
      this.#versions.set(key, []);
      this.#everyVersion.set(key, []);
    }
  }

  /** Whether a commit is under way: there may be no other change meanwhile. */
  get busy(): boolean {
    return this.#slow !== undefined;
  }

  /** Versions kept, of all keys. */
  get versionCount(): number {
    let count = 0;
    for (const versions of this.#versions.values()) count += versions.length;
    return count;
  }

  begin(readOnly = false): Running {
    const txn = this.#oracle.begin({ readOnly });
    return { id: this.#nextId++, txn, reads: new Map(), writes: new Map() };
  }

  get(running: Running, key: string): number | undefined {
    if (running.writes.has(key)) return running.writes.get(key);
    running.txn.read(bytes(key));
    return this.#see(running, key);
  }

  /** The values of the keys from `gte` up to, not including, `lt`. */
  scan(running: Running, gte: string, lt: string): Map<string, number> {
    running.txn.readRange(bytes(gte), bytes(lt));
    const found = new Map<string, number>();
    for (const key of this.#within(gte, lt)) {
      const stored = this.#see(running, key);
      const value = running.writes.has(key) ? running.writes.get(key) : stored;
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  put(running: Running, key: string, value: number): void {
    running.txn.write(bytes(key));
    running.writes.set(key, value);
  }

  delete(running: Running, key: string): void {
    running.txn.write(bytes(key));
    running.writes.set(key, undefined);
  }

  deleteRange(running: Running, gte: string, lt: string): void {
    running.txn.writeRange(bytes(gte), bytes(lt));
    for (const key of this.#within(gte, lt)) running.writes.set(key, undefined);
  }

  /** Commits in one step; `false` where it is refused. */
  commit(running: Running): boolean {
    let timestamp: number;
    try {
      timestamp = this.#oracle.commit(running.txn);
    } catch (error) {
      return refused(error);
    }
    for (const [key, value] of running.writes) this.#install(running.id, key, timestamp, value);
    this.#wroteDown(running);
    return true;
  }

  /** Begins a commit whose versions arrive by `goOn`; `false` where it is refused. */
  commitSlowly(running: Running): boolean {
    try {
      this.#oracle.validate(running.txn);
    } catch (error) {
      return refused(error);
    }
    this.#slow = {
      running,
      timestamp: this.#oracle.lastCommitted + 1,
      rest: [...running.writes],
    };
    return true;
  }

  /** One step of the commit under way. */
  goOn(): void {
    if (this.#slow === undefined) return;
    const { running, timestamp, rest } = this.#slow;
    const next = rest.pop();
    if (next !== undefined) {
      this.#install(running.id, next[0], timestamp, next[1]);
      return;
    }
    this.#slow = undefined;
    this.#oracle.commit(running.txn, timestamp);
    this.#wroteDown(running);
  }

  /** A change outside of transactions, which is one all the same. */
  putAlone(key: string, value: number): void {
    const id = this.#nextId++;
    const timestamp = this.#oracle.advance();
    this.#oracle.noteWrite(bytes(key));
    this.#install(id, key, timestamp, value);
    this.history.committed.push({ id, reads: new Map(), writes: new Map([[key, timestamp]]) });
  }

  deleteRangeAlone(gte: string, lt: string): void {
    const id = this.#nextId++;
    const timestamp = this.#oracle.advance();
    this.#oracle.noteRange(bytes(gte), bytes(lt));
    const writes = new Map<string, number>();
    for (const key of this.#within(gte, lt)) {
      this.#install(id, key, timestamp, undefined);
      writes.set(key, timestamp);
    }
    this.history.committed.push({ id, reads: new Map(), writes });
  }

  /** What a new transaction would read. */
  now(key: string): number | undefined {
    return this.#everyVersion.get(key)?.at(-1)?.value;
  }

  #within(gte: string, lt: string): string[] {
    return this.#universe.filter((key) => key >= gte && key < lt);
  }

  #see(running: Running, key: string): number | undefined {
    const { readTimestamp } = running.txn;
    const kept = this.#versions.get(key) ?? [];
    if ((kept.at(-1)?.timestamp ?? 0) > readTimestamp) running.txn.sawNewer();
    const isSeen = (version: Version) => version.timestamp <= readTimestamp;
    const seen = kept.findLast(isSeen);
    const meant = this.#everyVersion.get(key)?.findLast(isSeen);
    if (seen?.value !== meant?.value) {
      throw new Error(
        `expected ${key} as of ${readTimestamp} to be ${meant?.value}, got ${seen?.value}: dropped too early`,
      );
    }
    running.reads.set(key, meant?.writer ?? 0);
    return seen?.value;
  }

  #install(writer: number, key: string, timestamp: number, value: number | undefined): void {
    const version = { timestamp, writer, value };
    this.#everyVersion.get(key)?.push(version);
    const versions = [...(this.#versions.get(key) ?? []), version];
    this.#versions.set(key, versions);
    this.#dropOld();
  }

  /** Drops what is hidden by a version that every reader sees, and tombstones that hide nothing. */
  #dropOld(): void {
    const { oldestActive } = this.#oracle;
    for (const [key, versions] of this.#versions) {
      const newestForAll = versions.findLastIndex(({ timestamp }) => timestamp <= oldestActive);
      const kept = versions.slice(Math.max(newestForAll, 0));
      const [first] = kept;
      if (newestForAll >= 0 && first.value === undefined) kept.shift();
      this.#versions.set(key, kept);
    }
  }

  #wroteDown(running: Running): void {
    const writes = new Map<string, number>();
    for (const key of running.writes.keys()) {
      writes.set(key, this.#everyVersion.get(key)?.at(-1)?.timestamp ?? 0);
    }
    this.history.committed.push({ id: running.id, reads: running.reads, writes });
  }
}

function bytes(key: string): Uint8Array {
  return Buffer.from(key, 'latin1');
}

function refused(error: unknown): false {
  if (error instanceof OracleError && error.code === 'TXN_CONFLICT') return false;
  throw error;
}
