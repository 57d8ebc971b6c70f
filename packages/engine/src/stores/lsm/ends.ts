/**
 * Looks for what has ended: keys, or fields, whose time is before now, in the order of their times.
 *
 * Where the first entry lies that may still count is remembered: a look does not pass again the tombstones of what
 * was removed, nor entries that are stale. Stale is an end whose record is gone or has another time: a large hash
 * is removed without a walk over its fields, and leaves theirs behind. They go with a later commit.
 *
 * Invariant: every entry that counts is at or behind what is remembered.
 */
import type { Lsm } from '@nendb/lsm';
import { endsFrom } from './tree-keys.js';

/** Stale entries that one look may pass for each that it may look at. */
const STALE_FACTOR = 8;

export class Ends {
  readonly #tree: Lsm;
  /** `KEY_ENDS` or `FIELD_ENDS`. */
  readonly #kind: number;
  /** By namespace. */
  readonly #first = new Map<number, Buffer>();
  #stale: Buffer[] = [];

  constructor(tree: Lsm, kind: number) {
    this.#tree = tree;
    this.#kind = kind;
  }

  /** The entry `end` was added. */
  added(namespace: number, end: Buffer): void {
    const first = this.#first.get(namespace);
    if (first !== undefined && end.compare(first) < 0) this.#first.set(namespace, end);
  }

  forget(namespace: number): void {
    this.#first.delete(namespace);
  }

  /** At most `count` entries of what ends before `nowMs` for which `counts` holds. */
  due(namespace: number, nowMs: number, count: number, counts: (end: Buffer) => boolean): Buffer[] {
    const lt = endsFrom(namespace, this.#kind, nowMs);
    const gte = this.#first.get(namespace) ?? endsFrom(namespace, this.#kind, 0);
    if (gte.compare(lt) >= 0) return [];
    const due: Buffer[] = [];
    let left = count * STALE_FACTOR;
    let passed = gte;
    let more = true;
    const cursor = this.#tree.cursor({ gte, lt });
    try {
      for (; left > 0 && due.length < count; left--) {
        more = cursor.next();
        if (!more) break;
        const { key } = cursor;
        passed = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
        if (counts(passed)) due.push(passed);
        else this.#stale.push(passed);
      }
    } finally {
      cursor.close();
    }
    this.#first.set(namespace, due[0] ?? (more ? passed : lt));
    return due;
  }

  /** Entries that were found stale since the last call. */
  takeStale(): Buffer[] {
    if (this.#stale.length === 0) return this.#stale;
    const stale = this.#stale;
    this.#stale = [];
    return stale;
  }
}
