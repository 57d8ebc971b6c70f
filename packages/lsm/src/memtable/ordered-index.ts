/**
 * A B+ tree over the entries of an arena, keys ascending, sequences of one key descending.
 *
 * Hot. What an insertion costs is cache misses. A page keeps eight bytes of each key beside each other, so
 * that a search looks at entries only where these are equal, and the pages of a memtable of 64 MiB are a
 * few MiB: a search costs a few misses, where a skip list follows some twenty links to entries. The eight
 * bytes are those behind what all keys of the page share, so keys with long common beginnings part as well
 * (`user:00000017`).
 *
 * Invariants
 *  1. A (key, sequence) pair is inserted once.
 *  2. Every key that is led to a page between two separators shares their common beginning, which is at
 *     least the page's `prefix`. On the outermost paths there is no separator: there a key is compared with
 *     the page's first, and `prefix` gives way where it does not fit.
 *  3. A separator is at or before every entry under it and behind every one before it. The first of a
 *     page on the leftmost path is replaced by each entry that comes before it.
 *  4. Leaves are linked both ways, in order.
 *
 * Concurrency: one thread inserts. Others may read once nothing is inserted any more.
 */
import { commonPrefix, compareBytes, word } from '../order.js';
import type { Arena } from './arena.js';
import {
  FANOUT,
  INNER_WORDS,
  LEAF_WORDS,
  PAGE_CHILD,
  PAGE_COUNT,
  PAGE_ENTRY,
  PAGE_HIGH,
  PAGE_LOW,
  PAGE_NEXT,
  PAGE_PREFIX,
  PAGE_PREVIOUS,
} from './page.js';
import { ENTRY_KEY_BYTES, keyAt, sequenceOf } from './stored-entry.js';

/** 32^8 entries, where pages are half full: more than an arena holds. */
const LEVELS_MAX = 8;
const HALF = FANOUT >>> 1;

/** What another thread needs to read an index. */
export interface SharedIndex {
  root: number;
  levels: number;
  first: number;
  last: number;
}

export class OrderedIndex {
  readonly #entries: Arena;
  readonly #pages: Arena;
  #root: number;
  #levels = 1;
  #first: number;
  #last: number;
  /** Changes with every insertion: slots are where they were while it does not. */
  changes = 0;
  /** The leaf and slot that `seek` came to. A slot at the leaf's count is the next leaf's first. */
  leaf = 0;
  slot = 0;
  /** The way to `leaf`, for each level: page, slot, and the separators around the page (0: none). */
  readonly #pathPage = new Int32Array(LEVELS_MAX);
  readonly #pathSlot = new Int32Array(LEVELS_MAX);
  readonly #below = new Int32Array(LEVELS_MAX);
  readonly #above = new Int32Array(LEVELS_MAX);

  constructor(entries: Arena, pages: Arena, shared?: SharedIndex) {
    this.#entries = entries;
    this.#pages = pages;
    if (shared === undefined) {
      this.#root = pages.take(LEAF_WORDS);
      this.#first = this.#root;
      this.#last = this.#root;
    } else {
      this.#root = shared.root;
      this.#levels = shared.levels;
      this.#first = shared.first;
      this.#last = shared.last;
    }
  }

  get shared(): SharedIndex {
    return {
      root: this.#root,
      levels: this.#levels,
      first: this.#first,
      last: this.#last,
    };
  }

  get firstLeaf(): number {
    return this.#first;
  }
  get lastLeaf(): number {
    return this.#last;
  }

  countOf(leaf: number): number {
    return this.#pages.words[leaf + PAGE_COUNT];
  }
  nextOf(leaf: number): number {
    return this.#pages.words[leaf + PAGE_NEXT];
  }
  previousOf(leaf: number): number {
    return this.#pages.words[leaf + PAGE_PREVIOUS];
  }
  entryOf(leaf: number, slot: number): number {
    return this.#pages.words[leaf + PAGE_ENTRY + slot];
  }

  /** Sets `leaf` and `slot` to the first entry at or behind (key, sequence). */
  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    const pages = this.#pages.words;
    let page = this.#root;
    let below = 0;
    let above = 0;
    for (let level = this.#levels - 1; level > 0; level--) {
      const outer = below === 0 || above === 0;
      const at = this.#lowerBound(page, key, from, to, sequence, outer);
      const slot = at > 0 ? at - 1 : 0;
      if (slot > 0) below = pages[page + PAGE_ENTRY + slot];
      if (slot + 1 < pages[page + PAGE_COUNT]) above = pages[page + PAGE_ENTRY + slot + 1];
      page = pages[page + PAGE_CHILD + slot];
    }
    this.leaf = page;
    this.slot = this.#lowerBound(page, key, from, to, sequence, below === 0 || above === 0);
  }

  /** The newest entry with this key whose sequence is at most `sequence`; 0 where there is none. */
  find(key: Uint8Array, from: number, to: number, sequence: number): number {
    this.seek(key, from, to, sequence);
    const pages = this.#pages.words;
    let { leaf, slot } = this;
    if (slot === pages[leaf + PAGE_COUNT]) {
      leaf = pages[leaf + PAGE_NEXT];
      if (leaf === 0) return 0;
      slot = 0;
    }
    const prefix = pages[leaf + PAGE_PREFIX];
    // Most absent keys are told by the page alone, without a look at an entry.
    if (
      pages[leaf + PAGE_HIGH + slot] !== word(key, from + prefix, to) ||
      pages[leaf + PAGE_LOW + slot] !== word(key, from + prefix + 4, to)
    ) {
      return 0;
    }
    const entry = pages[leaf + PAGE_ENTRY + slot];
    const { words, bytes } = this.#entries;
    if (words[entry + ENTRY_KEY_BYTES] !== to - from) return 0;
    const at = keyAt(entry);
    for (let i = to - from - 1; i >= 0; i--) if (bytes[at + i] !== key[from + i]) return 0;
    return entry;
  }

  /** Inserts an entry that is in the arena. */
  insert(entry: number): void {
    this.changes++;
    const { words, bytes } = this.#entries;
    const from = keyAt(entry);
    const to = from + words[entry + ENTRY_KEY_BYTES];
    const sequence = sequenceOf(words, entry);
    const pages = this.#pages.words;
    let page = this.#root;
    let below = 0;
    let above = 0;
    for (let level = this.#levels - 1; ; level--) {
      if (below === 0 || above === 0) this.#giveWay(page, from, to);
      const at = this.#lowerBound(page, bytes, from, to, sequence, false);
      this.#pathPage[level] = page;
      this.#below[level] = below;
      this.#above[level] = above;
      if (level === 0) {
        this.#put(0, at, entry, 0);
        return;
      }
      const slot = at > 0 ? at - 1 : 0;
      if (at === 0) this.#setSlot(page, 0, entry, from, to);
      this.#pathSlot[level] = slot;
      if (slot > 0) below = pages[page + PAGE_ENTRY + slot];
      if (slot + 1 < pages[page + PAGE_COUNT]) above = pages[page + PAGE_ENTRY + slot + 1];
      page = pages[page + PAGE_CHILD + slot];
    }
  }

  /** Writes entry and words of a slot. The key is at `[from, to)` of the arena. */
  #setSlot(page: number, slot: number, entry: number, from: number, to: number): void {
    const pages = this.#pages.words;
    const { bytes } = this.#entries;
    const prefix = pages[page + PAGE_PREFIX];
    pages[page + PAGE_HIGH + slot] = word(bytes, from + prefix, to);
    pages[page + PAGE_LOW + slot] = word(bytes, from + prefix + 4, to);
    pages[page + PAGE_ENTRY + slot] = entry;
  }

  /** Puts an entry (and a child) at a slot of the page on the way at `level`, splitting it where it is full. */
  #put(level: number, slot: number, entry: number, child: number): void {
    let page = this.#pathPage[level];
    let at = slot;
    const from = keyAt(entry);
    const to = from + this.#entries.words[entry + ENTRY_KEY_BYTES];
    if (this.#pages.words[page + PAGE_COUNT] === FANOUT) {
      const right = this.#split(level, at, entry);
      const kept = this.#pages.words[page + PAGE_COUNT];
      if (at > kept || kept === FANOUT) {
        at -= kept;
        page = right;
      }
      // Halves may have got longer prefixes, which a separator has to share as well.
      this.#giveWay(page, from, to);
    } else if (level > 0) this.#giveWay(page, from, to);
    const pages = this.#pages.words;
    const count = pages[page + PAGE_COUNT];
    for (let i = page + PAGE_HIGH + count; i > page + PAGE_HIGH + at; i--) {
      pages[i] = pages[i - 1];
      pages[i + FANOUT] = pages[i + FANOUT - 1];
      pages[i + 2 * FANOUT] = pages[i + 2 * FANOUT - 1];
    }
    this.#setSlot(page, at, entry, from, to);
    if (level > 0) {
      const children = page + PAGE_CHILD;
      for (let i = count; i > at; i--) pages[children + i] = pages[children + i - 1];
      pages[children + at] = child;
    }
    pages[page + PAGE_COUNT] = count + 1;
  }

  /**
   * Moves the upper half of a full page to a new one, which it returns; nothing is moved where the new
   * entry comes last of all, so that keys that ascend leave full pages behind.
   */
  #split(level: number, slot: number, entry: number): number {
    const left = this.#pathPage[level];
    const above = this.#above[level];
    const ascending = slot === FANOUT && above === 0;
    const kept = ascending ? FANOUT : HALF;
    const right = this.#pages.take(level === 0 ? LEAF_WORDS : INNER_WORDS);
    const pages = this.#pages.words;
    for (let i = kept, j = 0; i < FANOUT; i++, j++) {
      pages[right + PAGE_HIGH + j] = pages[left + PAGE_HIGH + i];
      pages[right + PAGE_LOW + j] = pages[left + PAGE_LOW + i];
      pages[right + PAGE_ENTRY + j] = pages[left + PAGE_ENTRY + i];
      if (level > 0) pages[right + PAGE_CHILD + j] = pages[left + PAGE_CHILD + i];
    }
    pages[left + PAGE_COUNT] = kept;
    pages[right + PAGE_COUNT] = FANOUT - kept;
    const separator = ascending ? entry : pages[right + PAGE_ENTRY];
    pages[right + PAGE_PREFIX] = ascending
      ? this.#common(pages[left + PAGE_ENTRY], entry)
      : pages[left + PAGE_PREFIX];
    if (level === 0) this.#linkBehind(left, right);
    this.#refine(left, this.#below[level], separator);
    if (!ascending) this.#refine(right, separator, above);
    if (level + 1 === this.#levels) this.#growRoot(level + 1);
    this.#put(level + 1, this.#pathSlot[level + 1] + 1, separator, right);
    return right;
  }

  #linkBehind(left: number, right: number): void {
    const pages = this.#pages.words;
    const next = pages[left + PAGE_NEXT];
    pages[right + PAGE_NEXT] = next;
    pages[right + PAGE_PREVIOUS] = left;
    pages[left + PAGE_NEXT] = right;
    if (next === 0) this.#last = right;
    else pages[next + PAGE_PREVIOUS] = right;
  }

  /** A root above the present one, which becomes its only child. */
  #growRoot(level: number): void {
    const child = this.#root;
    const root = this.#pages.take(INNER_WORDS);
    const pages = this.#pages.words;
    pages[root + PAGE_COUNT] = 1;
    pages[root + PAGE_PREFIX] = pages[child + PAGE_PREFIX];
    pages[root + PAGE_HIGH] = pages[child + PAGE_HIGH];
    pages[root + PAGE_LOW] = pages[child + PAGE_LOW];
    pages[root + PAGE_ENTRY] = pages[child + PAGE_ENTRY];
    pages[root + PAGE_CHILD] = child;
    this.#root = root;
    this.#levels = level + 1;
    this.#pathPage[level] = root;
    this.#pathSlot[level] = 0;
    this.#below[level] = 0;
    this.#above[level] = 0;
  }

  /**
   * Sets the prefix of a page whose separators have changed: between two, what they have in common (keys
   * to come share no more); on the outermost paths, what its own keys do, until one comes that does not.
   * Words are computed anew only where they must be, or tell the keys apart badly.
   */
  #refine(page: number, below: number, above: number): void {
    const pages = this.#pages.words;
    const last = pages[page + PAGE_COUNT] - 1;
    const isCoarse = pages[page + PAGE_HIGH] === pages[page + PAGE_HIGH + last];
    if (below !== 0 && above !== 0) {
      const common = this.#common(below, above);
      if (isCoarse || common < pages[page + PAGE_PREFIX]) this.#setPrefix(page, common);
    } else if (isCoarse) {
      const first = pages[page + PAGE_ENTRY];
      this.#setPrefix(page, this.#common(first, pages[page + PAGE_ENTRY + last]));
    }
  }

  /** How many bytes the keys of two entries share. */
  #common(a: number, b: number): number {
    const { words, bytes } = this.#entries;
    const aFrom = keyAt(a);
    const bFrom = keyAt(b);
    const aTo = aFrom + words[a + ENTRY_KEY_BYTES];
    return commonPrefix(bytes, aFrom, aTo, bytes, bFrom, bFrom + words[b + ENTRY_KEY_BYTES]);
  }

  /** Shortens the prefix of a page to what the key at `[from, to)` of the arena shares with its keys. */
  #giveWay(page: number, from: number, to: number): void {
    const pages = this.#pages.words;
    const prefix = pages[page + PAGE_PREFIX];
    if (prefix === 0 || pages[page + PAGE_COUNT] === 0) return;
    const { bytes } = this.#entries;
    const at = keyAt(pages[page + PAGE_ENTRY]);
    const common = commonPrefix(bytes, at, at + prefix, bytes, from, to);
    if (common < prefix) this.#setPrefix(page, common);
  }

  #setPrefix(page: number, prefix: number): void {
    const pages = this.#pages.words;
    const { words, bytes } = this.#entries;
    if (pages[page + PAGE_PREFIX] === prefix) return;
    pages[page + PAGE_PREFIX] = prefix;
    for (let i = 0, count = pages[page + PAGE_COUNT]; i < count; i++) {
      const entry = pages[page + PAGE_ENTRY + i];
      const at = keyAt(entry) + prefix;
      const to = keyAt(entry) + words[entry + ENTRY_KEY_BYTES];
      pages[page + PAGE_HIGH + i] = word(bytes, at, to);
      pages[page + PAGE_LOW + i] = word(bytes, at + 4, to);
    }
  }

  /** How many slots of a page are before (key, sequence). `outer`: the key may lack the page's prefix. */
  #lowerBound(
    page: number,
    key: Uint8Array,
    from: number,
    to: number,
    sequence: number,
    outer: boolean,
  ): number {
    const pages = this.#pages.words;
    const prefix = pages[page + PAGE_PREFIX];
    const count = pages[page + PAGE_COUNT];
    if (outer && prefix > 0) {
      const order = this.#comparePrefix(page, prefix, key, from, to);
      if (order !== 0) return order < 0 ? count : 0;
    }
    const high = word(key, from + prefix, to);
    const low = word(key, from + prefix + 4, to);
    let below = 0;
    let above = count;
    while (below < above) {
      const middle = (below + above) >>> 1;
      const slotHigh = pages[page + PAGE_HIGH + middle];
      if (slotHigh < high) below = middle + 1;
      else if (slotHigh > high) above = middle;
      else {
        const slotLow = pages[page + PAGE_LOW + middle];
        if (slotLow < low) below = middle + 1;
        else if (slotLow > low) above = middle;
        else if (
          this.#isBefore(pages[page + PAGE_ENTRY + middle], prefix + 8, key, from, to, sequence)
        ) {
          below = middle + 1;
        } else above = middle;
      }
    }
    return below;
  }

  /** Below, at or above zero, as the page's prefix is before, that of, or behind the key. */
  #comparePrefix(page: number, prefix: number, key: Uint8Array, from: number, to: number): number {
    const { bytes } = this.#entries;
    const at = keyAt(this.#pages.words[page + PAGE_ENTRY]);
    return compareBytes(bytes, at, at + prefix, key, from, Math.min(to, from + prefix));
  }

  /** Whether an entry, whose key is the same in its first `same` bytes, is before (key, sequence). */
  #isBefore(
    entry: number,
    same: number,
    key: Uint8Array,
    from: number,
    to: number,
    sequence: number,
  ): boolean {
    const { words, bytes } = this.#entries;
    const length = words[entry + ENTRY_KEY_BYTES];
    let order = length - (to - from);
    if (length > same && to - from > same) {
      const at = keyAt(entry);
      order = compareBytes(bytes, at + same, at + length, key, from + same, to);
    }
    return order !== 0 ? order < 0 : sequenceOf(words, entry) > sequence;
  }
}
