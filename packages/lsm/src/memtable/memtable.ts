/**
 * The newest entries of the tree, sorted, in memory: where every write goes first.
 *
 *     add ─▶ arena of entries ◀── ordered index in an arena of pages
 *            range tombstones beside them
 *
 * Invariants
 *  1. Sequences are added in ascending order, a (key, sequence) pair once; so the newest version of
 *     a key is the one added last.
 *  2. Keys and values are copied in.
 *  3. After `freeze` nothing is added; only then may another thread read it (`share`, `attach`).
 *
 * Concurrency: one thread adds and reads. An attached copy in another thread is read-only.
 */
import type { Entry, EntryCursor, EntryKind } from '../entry.js';
import { RangeTombstones } from '../range-tombstones.js';
import { Arena } from './arena.js';
import { MemtableCursor } from './memtable-cursor.js';
import { OrderedIndex, type SharedIndex } from './ordered-index.js';
import {
  ENTRY_HEADER_WORDS,
  ENTRY_KEY_BYTES,
  ENTRY_SEQUENCE_HIGH,
  ENTRY_SEQUENCE_LOW,
  ENTRY_VALUE_BYTES,
  EXPIRES_FLAG,
  EXPIRY_WORDS,
  expiryOf,
  KIND_SHIFT,
  keyAt,
  kindOf,
  sequenceOf,
  valueAt,
  wordsOf,
} from './stored-entry.js';

const TWO_32 = 0x1_0000_0000;

export interface MemtableOptions {
  /** How much it is meant to hold, in bytes. It takes more; who owns it freezes it in time. */
  capacityBytes: number;
}

/** A frozen memtable as another thread is given it: structured-cloneable, nothing is copied. */
export interface SharedMemtable {
  entries: SharedArrayBuffer;
  entriesUsedWords: number;
  pages: SharedArrayBuffer;
  pagesUsedWords: number;
  index: SharedIndex;
  count: number;
  sequenceMin: number;
  sequenceMax: number;
  /** `RangeTombstones.encode`. */
  rangeTombstones: Uint8Array;
}

/** Pages for entries of 100 bytes; for shorter ones the arena grows. */
const PAGES_SHARE = 1 / 4;

export class Memtable {
  readonly #entries: Arena;
  readonly #pages: Arena;
  readonly #index: OrderedIndex;
  readonly #rangeTombstones: RangeTombstones;
  #count = 0;
  #frozen = false;
  #sequenceMin = Number.MAX_SAFE_INTEGER;
  #sequenceMax = 0;

  constructor({ capacityBytes }: MemtableOptions, shared?: SharedMemtable) {
    // An eighth more: the entry that fills it need not make the arena grow.
    this.#entries = new Arena(capacityBytes + capacityBytes / 8, shared?.entries);
    this.#pages = new Arena(capacityBytes * PAGES_SHARE, shared?.pages);
    this.#index = new OrderedIndex(this.#entries, this.#pages, shared?.index);
    this.#rangeTombstones = new RangeTombstones();
    if (shared === undefined) return;
    this.#rangeTombstones = RangeTombstones.decode(shared.rangeTombstones);
    this.#entries.usedWords = shared.entriesUsedWords;
    this.#pages.usedWords = shared.pagesUsedWords;
    this.#count = shared.count;
    this.#sequenceMin = shared.sequenceMin;
    this.#sequenceMax = shared.sequenceMax;
    this.#frozen = true;
  }

  /** The memtable that another thread has frozen and shared. */
  static attach(shared: SharedMemtable): Memtable {
    return new Memtable({ capacityBytes: 0 }, shared);
  }

  /** Memory in use: entries, their index, range tombstones. */
  get bytes(): number {
    return (this.#entries.usedWords + this.#pages.usedWords) * 4 + this.#rangeTombstones.bytes;
  }

  /** Entries, tombstones included, range tombstones not. */
  get count(): number {
    return this.#count;
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
    const keyBytes = keyTo - keyFrom;
    const valueBytes = valueTo - valueFrom;
    const keyWords = wordsOf(keyBytes);
    const valueWords = wordsOf(valueBytes);
    const expiryWords = expireAtMs === 0 ? 0 : EXPIRY_WORDS;
    const entry = this.#entries.take(ENTRY_HEADER_WORDS + keyWords + valueWords + expiryWords);
    const { words, bytes } = this.#entries;
    const low = sequence >>> 0;
    let high = ((sequence - low) / TWO_32) | (kind << KIND_SHIFT);
    words[entry + ENTRY_KEY_BYTES] = keyBytes;
    words[entry + ENTRY_VALUE_BYTES] = valueBytes;
    copy(bytes, keyAt(entry), key, keyFrom, keyTo);
    copy(bytes, valueAt(words, entry), value, valueFrom, valueTo);
    if (expireAtMs !== 0) {
      high |= EXPIRES_FLAG;
      const expiryAt = entry + ENTRY_HEADER_WORDS + keyWords + valueWords;
      const expiryLow = expireAtMs >>> 0;
      words[expiryAt] = expiryLow;
      words[expiryAt + 1] = (expireAtMs - expiryLow) / TWO_32;
    }
    words[entry + ENTRY_SEQUENCE_LOW] = low;
    words[entry + ENTRY_SEQUENCE_HIGH] = high;
    this.#index.insert(entry);
    this.#count++;
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
    const entry = this.#index.find(key, from, to, sequence);
    if (entry === 0) return false;
    const { words, bytes } = this.#entries;
    into.keyBytes = bytes;
    into.keyFrom = keyAt(entry);
    into.keyTo = into.keyFrom + words[entry + ENTRY_KEY_BYTES];
    into.sequence = sequenceOf(words, entry);
    into.kind = kindOf(words, entry);
    into.expireAtMs = expiryOf(words, entry);
    into.valueBytes = bytes;
    into.valueFrom = valueAt(words, entry);
    into.valueTo = into.valueFrom + words[entry + ENTRY_VALUE_BYTES];
    return true;
  }

  /** A cursor over every version; sees what is added while it is open. */
  cursor(): EntryCursor {
    return new MemtableCursor(this.#entries, this.#index);
  }

  /** What another thread needs to read it. Throws `RangeError` unless it is frozen. */
  share(): SharedMemtable {
    if (!this.#frozen)
      throw new RangeError('expected a frozen memtable, got one in use: freeze it');
    return {
      entries: this.#entries.shared,
      entriesUsedWords: this.#entries.usedWords,
      pages: this.#pages.shared,
      pagesUsedWords: this.#pages.usedWords,
      index: this.#index.shared,
      count: this.#count,
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

/** Shorter values are copied in a loop: a view and a call of `set` cost as much as so many bytes. */
const SET_BYTES_MIN = 24;

function copy(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): void {
  if (to - from < SET_BYTES_MIN) {
    for (let i = from, j = at; i < to; i++, j++) target[j] = source[i];
  } else {
    target.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
  }
}
