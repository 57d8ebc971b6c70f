/**
 * A cursor over a memtable. Entries never move or change, so what it shows stays as it was while others
 * are added; its place in the index is looked up again where the index has changed meanwhile.
 */
import { type EntryCursor, EntryKind } from '../entry.js';
import type { Arena } from './arena.js';
import type { OrderedIndex } from './ordered-index.js';
import {
  ENTRY_KEY_BYTES,
  ENTRY_VALUE_BYTES,
  expiryOf,
  keyAt,
  kindOf,
  sequenceOf,
  valueAt,
} from './stored-entry.js';

export class MemtableCursor implements EntryCursor {
  valid = false;
  keyBytes: Uint8Array;
  keyFrom = 0;
  keyTo = 0;
  sequence = 0;
  kind: EntryKind = EntryKind.delete;
  expireAtMs = 0;
  valueBytes: Uint8Array;
  valueFrom = 0;
  valueTo = 0;
  readonly #entries: Arena;
  readonly #index: OrderedIndex;
  #leaf = 0;
  #slot = 0;
  /** Slots of its leaf, as long as the index has not changed. */
  #count = 0;
  #changes = -1;

  constructor(entries: Arena, index: OrderedIndex) {
    this.#entries = entries;
    this.#index = index;
    this.keyBytes = entries.bytes;
    this.valueBytes = entries.bytes;
  }

  seekToFirst(): void {
    this.#stand(this.#index.firstLeaf, 0);
  }

  seekToLast(): void {
    const leaf = this.#index.lastLeaf;
    this.#standBefore(leaf, this.#index.countOf(leaf));
  }

  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    const index = this.#index;
    index.seek(key, from, to, sequence);
    this.#stand(index.leaf, index.slot);
  }

  seekBefore(key: Uint8Array, from: number, to: number): void {
    const index = this.#index;
    index.seek(key, from, to, Number.MAX_SAFE_INTEGER);
    this.#standBefore(index.leaf, index.slot);
  }

  next(): void {
    if (!this.valid) return;
    if (this.#changes !== this.#index.changes) this.#findAgain();
    const slot = this.#slot + 1;
    if (slot < this.#count) {
      this.#slot = slot;
      this.#show(this.#index.entryOf(this.#leaf, slot));
    } else this.#stand(this.#leaf, slot);
  }

  prev(): void {
    if (!this.valid) return;
    if (this.#changes !== this.#index.changes) this.#findAgain();
    this.#standBefore(this.#leaf, this.#slot);
  }

  close(): void {
    this.valid = false;
  }

  #findAgain(): void {
    const index = this.#index;
    index.seek(this.keyBytes, this.keyFrom, this.keyTo, this.sequence);
    const { leaf, slot } = index;
    const passes = slot === index.countOf(leaf);
    this.#leaf = passes ? index.nextOf(leaf) : leaf;
    this.#slot = passes ? 0 : slot;
    this.#count = index.countOf(this.#leaf);
    this.#changes = index.changes;
  }

  /** Stands on a slot of a leaf; the one behind its last is the first of the next. */
  #stand(leaf: number, slot: number): void {
    const index = this.#index;
    const passes = slot >= index.countOf(leaf);
    this.#leaf = passes ? index.nextOf(leaf) : leaf;
    this.#slot = passes ? 0 : slot;
    this.valid = this.#leaf !== 0;
    if (!this.valid) return;
    this.#count = index.countOf(this.#leaf);
    this.#changes = index.changes;
    this.#show(index.entryOf(this.#leaf, this.#slot));
  }

  /** Stands on the slot before one. */
  #standBefore(leaf: number, slot: number): void {
    const index = this.#index;
    if (slot > 0) {
      this.#stand(leaf, slot - 1);
      return;
    }
    const previous = index.previousOf(leaf);
    if (previous === 0) this.valid = false;
    else this.#stand(previous, index.countOf(previous) - 1);
  }

  #show(entry: number): void {
    const { words, bytes } = this.#entries;
    this.keyBytes = bytes;
    this.keyFrom = keyAt(entry);
    this.keyTo = this.keyFrom + words[entry + ENTRY_KEY_BYTES];
    this.sequence = sequenceOf(words, entry);
    this.kind = kindOf(words, entry);
    this.expireAtMs = expiryOf(words, entry);
    this.valueBytes = bytes;
    this.valueFrom = valueAt(words, entry);
    this.valueTo = this.valueFrom + words[entry + ENTRY_VALUE_BYTES];
  }
}
