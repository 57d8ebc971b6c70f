/**
 * One cursor over many: a binary heap of sources, the nearest entry on top.
 *
 * Invariants
 *  1. No two sources hold the same (key, sequence); where they do all the same, the earlier source
 *     comes first.
 *  2. Moving forwards every source stands on its first entry behind the current one, moving
 *     backwards on its last before it; turning round seeks them all.
 *
 * Hot. The first eight bytes of each source's key lie in typed arrays, so most comparisons touch no
 * key; the top is compared with its children only after it moved.
 */
import type { EntryCursor, EntryKind } from '../entry.js';
import { compareBytes, word } from '../order.js';

/** The cheapest cursor over all of `sources`, newest first. It closes them. */
export function mergeCursors(sources: readonly EntryCursor[]): EntryCursor {
  return sources.length === 1 ? sources[0] : new MergingCursor(sources);
}

export class MergingCursor implements EntryCursor {
  valid = false;
  keyBytes: Uint8Array = new Uint8Array(0);
  keyFrom = 0;
  keyTo = 0;
  sequence = 0;
  kind: EntryKind = 0;
  expireAtMs = 0;
  valueBytes: Uint8Array = new Uint8Array(0);
  valueFrom = 0;
  valueTo = 0;
  readonly #sources: readonly EntryCursor[];
  readonly #heap: Uint32Array;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  #count = 0;
  #backwards = false;

  constructor(sources: readonly EntryCursor[]) {
    this.#sources = sources;
    this.#heap = new Uint32Array(sources.length);
    this.#high = new Uint32Array(sources.length);
    this.#low = new Uint32Array(sources.length);
  }

  seekToFirst(): void {
    for (const source of this.#sources) source.seekToFirst();
    this.#build(false);
  }

  seekToLast(): void {
    for (const source of this.#sources) source.seekToLast();
    this.#build(true);
  }

  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    for (const source of this.#sources) source.seek(key, from, to, sequence);
    this.#build(false);
  }

  seekBefore(key: Uint8Array, from: number, to: number): void {
    for (const source of this.#sources) source.seekBefore(key, from, to);
    this.#build(true);
  }

  next(): void {
    if (this.#backwards) this.#turn();
    const top = this.#heap[0];
    const source = this.#sources[top];
    source.next();
    this.#moved(top, source);
  }

  prev(): void {
    if (!this.#backwards) this.#turn();
    const top = this.#heap[0];
    const source = this.#sources[top];
    source.prev();
    this.#moved(top, source);
  }

  close(): void {
    this.valid = false;
    for (const source of this.#sources) source.close();
  }

  /** Brings every other source to the other side of the current entry. */
  #turn(): void {
    this.#backwards = !this.#backwards;
    const top = this.#heap[0];
    const current = this.#sources[top];
    const { keyBytes, keyFrom, keyTo, sequence } = current;
    for (const source of this.#sources) {
      if (source === current) continue;
      source.seek(keyBytes, keyFrom, keyTo, sequence);
      if (!this.#backwards) continue;
      if (source.valid) source.prev();
      else source.seekToLast();
    }
    this.#build(this.#backwards);
  }

  #build(backwards: boolean): void {
    this.#backwards = backwards;
    this.#count = 0;
    for (let i = 0; i < this.#sources.length; i++) {
      if (!this.#sources[i].valid) continue;
      this.#note(i, this.#sources[i]);
      this.#heap[this.#count++] = i;
    }
    for (let i = (this.#count >> 1) - 1; i >= 0; i--) this.#sink(i);
    this.#show();
  }

  #moved(top: number, source: EntryCursor): void {
    if (source.valid) {
      this.#note(top, source);
    } else {
      this.#count--;
      this.#heap[0] = this.#heap[this.#count];
    }
    if (this.#count > 1) this.#sink(0);
    this.#show();
  }

  #note(index: number, { keyBytes, keyFrom, keyTo }: EntryCursor): void {
    this.#high[index] = word(keyBytes, keyFrom, keyTo);
    this.#low[index] = word(keyBytes, keyFrom + 4, keyTo);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const moving = heap[from];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#before(heap[child + 1], heap[child])) child++;
      if (!this.#before(heap[child], moving)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moving;
  }

  /** Whether source `a` comes before source `b` in the current direction. */
  #before(a: number, b: number): boolean {
    let order = this.#high[a] - this.#high[b] || this.#low[a] - this.#low[b];
    if (order === 0) order = this.#compareWhole(a, b);
    return this.#backwards ? order > 0 : order < 0;
  }

  #compareWhole(a: number, b: number): number {
    const x = this.#sources[a];
    const y = this.#sources[b];
    return (
      compareBytes(x.keyBytes, x.keyFrom, x.keyTo, y.keyBytes, y.keyFrom, y.keyTo) ||
      y.sequence - x.sequence ||
      a - b
    );
  }

  #show(): void {
    this.valid = this.#count > 0;
    if (!this.valid) return;
    const source = this.#sources[this.#heap[0]];
    this.keyBytes = source.keyBytes;
    this.keyFrom = source.keyFrom;
    this.keyTo = source.keyTo;
    this.sequence = source.sequence;
    this.kind = source.kind;
    this.expireAtMs = source.expireAtMs;
    this.valueBytes = source.valueBytes;
    this.valueFrom = source.valueFrom;
    this.valueTo = source.valueTo;
  }
}
