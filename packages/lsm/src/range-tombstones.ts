/**
 * Deleted ranges, cut into fragments that do not overlap, so that one binary search answers which
 * deletion covers a key.
 *
 *     added      [a, m) at 5      [g, t) at 9
 *     fragments  [a, g) 5    [g, m) 9 5    [m, t) 9
 *     encoded    fragments, then each: gte length, gte, lt length, lt, sequences, each sequence (varints)
 *
 * Invariants
 *  1. Fragments ascend, never overlap and are never empty; a gap is no fragment.
 *  2. The sequences of a fragment descend, without repetition.
 *  3. Keys are copied in; what is given out is borrowed and never changed.
 *
 * One thread writes. `covering` allocates nothing.
 */
import { putUvarint, UVARINT_BYTES_MAX, UvarintReader } from '@nendb/codec';
import type { RangeTombstone } from './entry.js';
import { compareBytes, compareKeys } from './order.js';

/** One piece of the key space and the deletions that cover it. */
export interface Fragment {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  /** Descending. */
  readonly sequences: readonly number[];
}

/** What a fragment takes beside its keys, in bytes: three objects and their fields. */
const FRAGMENT_OVERHEAD_BYTES = 160;
const SEQUENCE_BYTES = 8;

export class RangeTombstones {
  #fragments: Fragment[] = [];
  #bytes = 0;
  #sequenceMin = Number.MAX_SAFE_INTEGER;
  #sequenceMax = 0;

  /** How many fragments there are. */
  get count(): number {
    return this.#fragments.length;
  }

  get isEmpty(): boolean {
    return this.#fragments.length === 0;
  }

  /** Memory, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The lowest sequence that is in it; 2^53 - 1 where there is none. */
  get sequenceMin(): number {
    return this.#sequenceMin;
  }

  /** The highest sequence that is in it; 0 where there is none. */
  get sequenceMax(): number {
    return this.#sequenceMax;
  }

  /** Where the first range begins; `undefined` where there is none. */
  get smallestKey(): Uint8Array | undefined {
    return this.#fragments[0]?.gte;
  }

  /** Where the last range ends, exclusive; `undefined` where there is none. */
  get largestKey(): Uint8Array | undefined {
    return this.#fragments.at(-1)?.lt;
  }

  /** The fragments in order. */
  get fragments(): readonly Fragment[] {
    return this.#fragments;
  }

  /** Adds the deletion of `[gte, lt)` at `sequence`. An empty range is nothing. */
  add(gte: Uint8Array, lt: Uint8Array, sequence: number): void {
    if (compareKeys(gte, lt) >= 0) return;
    if (sequence < this.#sequenceMin) this.#sequenceMin = sequence;
    if (sequence > this.#sequenceMax) this.#sequenceMax = sequence;
    const first = this.#firstEndingBehind(gte, 0, gte.length);
    const changed: Fragment[] = [];
    let from: Uint8Array = Uint8Array.from(gte);
    const to = Uint8Array.from(lt);
    let next = first;
    for (; next < this.#fragments.length; next++) {
      const fragment = this.#fragments[next];
      if (compareKeys(fragment.gte, to) >= 0) break;
      if (compareKeys(fragment.gte, from) < 0) {
        changed.push({ gte: fragment.gte, lt: from, sequences: fragment.sequences });
      } else if (compareKeys(from, fragment.gte) < 0) {
        changed.push({ gte: from, lt: fragment.gte, sequences: [sequence] });
        from = fragment.gte;
      }
      const end = compareKeys(fragment.lt, to) < 0 ? fragment.lt : to;
      changed.push({ gte: from, lt: end, sequences: withSequence(fragment.sequences, sequence) });
      if (compareKeys(to, fragment.lt) < 0) {
        changed.push({ gte: to, lt: fragment.lt, sequences: fragment.sequences });
      }
      from = end;
    }
    if (compareKeys(from, to) < 0) changed.push({ gte: from, lt: to, sequences: [sequence] });
    for (let i = first; i < next; i++) this.#bytes -= fragmentBytes(this.#fragments[i]);
    for (const fragment of changed) this.#bytes += fragmentBytes(fragment);
    // No splice: its arguments are on the stack, and a range may cover any number of fragments.
    this.#fragments = [
      ...this.#fragments.slice(0, first),
      ...changed,
      ...this.#fragments.slice(next),
    ];
  }

  /**
   * The highest sequence, at most `sequenceMax`, of a deletion that covers `key[from, to)`; 0 where
   * none does. A version of the key with a smaller sequence is shadowed.
   */
  covering(key: Uint8Array, from: number, to: number, sequenceMax: number): number {
    if (this.#fragments.length === 0) return 0;
    const at = this.#firstEndingBehind(key, from, to);
    if (at === this.#fragments.length) return 0;
    const { gte, sequences } = this.#fragments[at];
    if (compareBytes(gte, 0, gte.length, key, from, to) > 0) return 0;
    for (let i = 0; i < sequences.length; i++) if (sequences[i] <= sequenceMax) return sequences[i];
    return 0;
  }

  /** Every fragment once for each of its sequences: what another set is filled from. */
  *tombstones(): Generator<RangeTombstone> {
    for (const { gte, lt, sequences } of this.#fragments) {
      for (const sequence of sequences) yield { gte, lt, sequence };
    }
  }

  /** The bytes of a table's range tombstone block. */
  encode(): Uint8Array {
    let room = UVARINT_BYTES_MAX;
    for (const { gte, lt, sequences } of this.#fragments) {
      room += gte.length + lt.length + (sequences.length + 3) * UVARINT_BYTES_MAX;
    }
    const bytes = new Uint8Array(room);
    let at = putUvarint(bytes, 0, this.#fragments.length);
    for (const { gte, lt, sequences } of this.#fragments) {
      at = putKey(bytes, at, gte);
      at = putKey(bytes, at, lt);
      at = putUvarint(bytes, at, sequences.length);
      for (const sequence of sequences) at = putUvarint(bytes, at, sequence);
    }
    return bytes.subarray(0, at);
  }

  /** What `encode` wrote. Throws `FormatError` or `RangeError` for anything else. */
  static decode(bytes: Uint8Array): RangeTombstones {
    const reader = new UvarintReader();
    reader.reset(bytes);
    const set = new RangeTombstones();
    const count = reader.next();
    for (let i = 0; i < count; i++) {
      const gte = takeKey(reader, bytes);
      const lt = takeKey(reader, bytes);
      const sequences = reader.next();
      for (let s = 0; s < sequences; s++) set.add(gte, lt, reader.next());
    }
    if (reader.offset !== bytes.length) {
      throw new RangeError(
        `expected range tombstones of ${reader.offset} bytes, got ${bytes.length}`,
      );
    }
    return set;
  }

  /** The index of the first fragment whose end is behind `key`. */
  #firstEndingBehind(key: Uint8Array, from: number, to: number): number {
    let low = 0;
    let high = this.#fragments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { lt } = this.#fragments[middle];
      if (compareBytes(lt, 0, lt.length, key, from, to) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function withSequence(sequences: readonly number[], sequence: number): readonly number[] {
  const at = sequences.findIndex((each) => each <= sequence);
  if (at < 0) return [...sequences, sequence];
  if (sequences[at] === sequence) return sequences;
  return [...sequences.slice(0, at), sequence, ...sequences.slice(at)];
}

function fragmentBytes({ gte, lt, sequences }: Fragment): number {
  return FRAGMENT_OVERHEAD_BYTES + gte.length + lt.length + sequences.length * SEQUENCE_BYTES;
}

function putKey(bytes: Uint8Array, at: number, key: Uint8Array): number {
  const from = putUvarint(bytes, at, key.length);
  bytes.set(key, from);
  return from + key.length;
}

function takeKey(reader: UvarintReader, bytes: Uint8Array): Uint8Array {
  const length = reader.next();
  const from = reader.offset;
  const to = from + length;
  reader.reset(bytes, Math.min(to, bytes.length));
  if (to > bytes.length) {
    throw new RangeError(
      `expected a key of ${length} bytes at ${from}, got ${bytes.length - from}`,
    );
  }
  return bytes.slice(from, to);
}
