/**
 * The newest entries of the tree, sorted, in memory: where every write goes first.
 *
 *     add ──▶ arena ◀── skip list (order: cursors, flush)
 *                   ◀── hash index (point reads)
 *             range tombstones beside them
 *
 * Invariants
 *  1. Sequences are added in ascending order, a (key, sequence) pair once; so the newest version of
 *     a key is the one added last.
 *  2. Keys and values are copied in.
 *  3. After `freeze` nothing is added; only then may another thread read it (`share`, `attach`).
 *
 * Concurrency: one thread adds and reads. An attached copy in another thread is read-only.
 */
import { type Entry, type EntryCursor, type EntryKind, EntryKind as Kind } from '../entry.js';
import { RangeTombstones } from '../range-tombstones.js';
import { Arena } from './arena.js';
import { HashIndex } from './hash-index.js';
import { MemtableCursor } from './memtable-cursor.js';
import {
  EXPIRES_FLAG,
  EXPIRY_WORDS,
  expiryOf,
  KIND_SHIFT,
  kindOf,
  NODE_SEQUENCE_HIGH,
  NODE_SEQUENCE_LOW,
  NODE_VALUE_BYTES,
  sequenceOf,
  valueAt,
} from './node.js';
import { SkipList } from './skip-list.js';

const TWO_32 = 0x1_0000_0000;

export interface MemtableOptions {
  /** How much it is meant to hold, in bytes. It takes more; who owns it freezes it in time. */
  capacityBytes: number;
  /** Whether point reads get a hash index. Default true. */
  hash?: boolean;
  /** A random u32: chains and levels cannot be foreseen. Default a constant. */
  seed?: number;
}

/** A frozen memtable as another thread is given it: structured-cloneable, nothing is copied. */
export interface SharedMemtable {
  buffer: SharedArrayBuffer;
  head: number;
  height: number;
  count: number;
  usedWords: number;
  sequenceMin: number;
  sequenceMax: number;
  /** `RangeTombstones.encode`. */
  rangeTombstones: Uint8Array;
}

export class Memtable {
  readonly #arena: Arena;
  readonly #list: SkipList;
  readonly #hash: HashIndex | undefined;
  readonly #rangeTombstones: RangeTombstones;
  #count = 0;
  #tombstones = 0;
  #frozen = false;
  #sequenceMin = Number.MAX_SAFE_INTEGER;
  #sequenceMax = 0;

  constructor(options: MemtableOptions, shared?: SharedMemtable) {
    const seed = options.seed ?? 0x5eed1e55;
    // An eighth more: the entry that fills it need not copy it.
    this.#arena = new Arena(options.capacityBytes + options.capacityBytes / 8, shared?.buffer);
    this.#list = new SkipList(this.#arena, seed, shared);
    if (shared !== undefined) {
      this.#rangeTombstones = RangeTombstones.decode(shared.rangeTombstones);
      this.#arena.usedWords = shared.usedWords;
      this.#count = shared.count;
      this.#sequenceMin = shared.sequenceMin;
      this.#sequenceMax = shared.sequenceMax;
      this.#frozen = true;
      return;
    }
    this.#rangeTombstones = new RangeTombstones();
    if (options.hash ?? true) {
      this.#hash = new HashIndex(this.#list, options.capacityBytes, seed);
    }
  }

  /** The memtable that another thread has frozen and shared. */
  static attach(shared: SharedMemtable): Memtable {
    return new Memtable({ capacityBytes: 0, hash: false }, shared);
  }

  /** Memory in use: entries, hash index, range tombstones. */
  get bytes(): number {
    return this.#arena.usedWords * 4 + (this.#hash?.bytes ?? 0) + this.#rangeTombstones.bytes;
  }

  /** Entries, tombstones included, range tombstones not. */
  get count(): number {
    return this.#count;
  }

  /** Entries that are tombstones. */
  get tombstoneCount(): number {
    return this.#tombstones;
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#rangeTombstones.isEmpty;
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** The lowest sequence in it, range tombstones included; 2^53 - 1 while it is empty. */
  get sequenceMin(): number {
    return this.#sequenceMin;
  }

  /** The highest sequence in it, range tombstones included; 0 while it is empty. */
  get sequenceMax(): number {
    return this.#sequenceMax;
  }

  /** Borrowed: not to be added to but through `addRange`. */
  get rangeTombstones(): RangeTombstones {
    return this.#rangeTombstones;
  }

  /** Nothing is added any more. */
  freeze(): void {
    this.#frozen = true;
  }

  /**
   * Adds a version of `key[keyFrom, keyTo)`, whose sequence is not below any added before. Throws
   * `RangeError` where it is, and after `freeze`.
   */
  add(
    sequence: number,
    kind: EntryKind,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void {
    this.#note(sequence);
    const list = this.#list;
    const valueBytes = valueTo - valueFrom;
    const valueWords = (valueBytes + 3) >>> 2;
    list.setProbe(key, keyFrom, keyTo);
    const node = list.insert(sequence, expireAtMs === 0 ? valueWords : valueWords + EXPIRY_WORDS);
    const { words, bytes } = this.#arena;
    const low = sequence >>> 0;
    words[node + NODE_SEQUENCE_LOW] = low;
    let high = ((sequence - low) / TWO_32) | (kind << KIND_SHIFT);
    words[node + NODE_VALUE_BYTES] = valueBytes;
    const at = valueAt(words, node);
    copy(bytes, at, value, valueFrom, valueTo);
    if (expireAtMs !== 0) {
      high |= EXPIRES_FLAG;
      const expiryAt = (at >>> 2) + valueWords;
      const expiryLow = expireAtMs >>> 0;
      words[expiryAt] = expiryLow;
      words[expiryAt + 1] = (expireAtMs - expiryLow) / TWO_32;
    }
    words[node + NODE_SEQUENCE_HIGH] = high;
    this.#hash?.put(node);
    this.#count++;
    if (kind === Kind.delete) this.#tombstones++;
  }

  /** Adds the deletion of `[gte, lt)` at `sequence`, which is not below any added before. */
  addRange(sequence: number, gte: Uint8Array, lt: Uint8Array): void {
    this.#note(sequence);
    this.#rangeTombstones.add(gte, lt, sequence);
  }

  /**
   * Fills `into` with the newest version of `key[from, to)` whose sequence is at most `sequence`;
   * returns whether there is one. Range tombstones are the caller's to ask. Allocates nothing.
   */
  get(key: Uint8Array, from: number, to: number, sequence: number, into: Entry): boolean {
    const list = this.#list;
    list.setProbe(key, from, to);
    const { words, bytes } = this.#arena;
    let node: number;
    if (this.#hash === undefined) {
      node = list.seek(sequence);
      if (node === 0 || !list.hasProbeKey(node)) return false;
    } else {
      node = this.#hash.find();
      while (node !== 0 && sequenceOf(words, node) > sequence) {
        node = list.next(node);
        if (node !== 0 && !list.hasProbeKey(node)) return false;
      }
      if (node === 0) return false;
    }
    into.keyBytes = key;
    into.keyFrom = from;
    into.keyTo = to;
    into.sequence = sequenceOf(words, node);
    into.kind = kindOf(words, node);
    into.expireAtMs = expiryOf(words, node);
    into.valueBytes = bytes;
    into.valueFrom = valueAt(words, node);
    into.valueTo = into.valueFrom + words[node + NODE_VALUE_BYTES];
    return true;
  }

  /** A cursor over every version; sees what is added while it is open. */
  cursor(): EntryCursor {
    return new MemtableCursor(this.#list);
  }

  /** What another thread needs to read it. Throws `RangeError` unless it is frozen. */
  share(): SharedMemtable {
    if (!this.#frozen)
      throw new RangeError('expected a frozen memtable, got one in use: freeze it');
    return {
      buffer: this.#arena.shared,
      head: this.#list.head,
      height: this.#list.height,
      count: this.#count,
      usedWords: this.#arena.usedWords,
      sequenceMin: this.#sequenceMin,
      sequenceMax: this.#sequenceMax,
      rangeTombstones: this.#rangeTombstones.encode(),
    };
  }

  #note(sequence: number): void {
    if (this.#frozen) throw new RangeError('expected a memtable in use, got a frozen one');
    if (sequence < this.#sequenceMax) {
      throw new RangeError(
        `expected a sequence from ${this.#sequenceMax} on, got ${sequence}: add in order`,
      );
    }
    this.#sequenceMax = sequence;
    if (sequence < this.#sequenceMin) this.#sequenceMin = sequence;
  }
}

/** Short values in a loop: a call of `set` with a view costs more than copying so few bytes. */
const COPY_LOOP_BYTES_MAX = 128;

function copy(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): void {
  if (to - from <= COPY_LOOP_BYTES_MAX) {
    for (let i = from, j = at; i < to; i++, j++) target[j] = source[i];
  } else {
    target.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
  }
}
