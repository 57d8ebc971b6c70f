/**
 * What ends when: pairs of a time and a hash, sorted, in blocks. The hash is a key's (or a field's) in its
 * table, where `scanHash` meets it again; records move, hashes do not.
 *
 *     blocks   [ (5,h) (5,h) (9,h) ] [ (9,h) (12,h) ] [ (30,h) ... ]     up to 512 pairs each
 *
 * Invariants
 *  1. Pairs are sorted by time, then by hash, within blocks and from block to block.
 *  2. No block is empty. A pair that was added twice is there twice.
 *
 * An addition or removal is two binary searches and a move of at most 6 KiB; the list of blocks is
 * changed once in some hundred. Some 16 bytes a pair, none of them on V8's heap.
 *
 * Why not a heap: a key's time changes and goes again long before it comes, and a heap that is to
 * find its entries has to keep their places.
 */
import { EXPIRY_BLOCK_PAIRS_FIRST, EXPIRY_BLOCK_PAIRS_MAX } from '../../limits.js';

const PAIR_BYTES = 12;
/** Two typed arrays and the object, as V8 has them: measured on Node 20. */
const BLOCK_OVERHEAD_BYTES = 400;

class Block {
  count = 0;
  times: Float64Array;
  hashes: Uint32Array;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
    this.hashes = new Uint32Array(capacity);
  }

  /** Whether pair `i` comes before (timeMs, hash). */
  precedes(i: number, timeMs: number, hash: number): boolean {
    const time = this.times[i];
    return time < timeMs || (time === timeMs && this.hashes[i] < hash);
  }

  /** Index of the first pair that does not come before (timeMs, hash). */
  lowerBound(timeMs: number, hash: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.precedes(middle, timeMs, hash)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  grow(): void {
    const { times, hashes } = this;
    this.times = new Float64Array(times.length * 2);
    this.hashes = new Uint32Array(times.length * 2);
    this.times.set(times);
    this.hashes.set(hashes);
  }

  insert(at: number, timeMs: number, hash: number): void {
    this.times.copyWithin(at + 1, at, this.count);
    this.hashes.copyWithin(at + 1, at, this.count);
    this.times[at] = timeMs;
    this.hashes[at] = hash;
    this.count++;
  }

  remove(at: number): void {
    this.times.copyWithin(at, at + 1, this.count);
    this.hashes.copyWithin(at, at + 1, this.count);
    this.count--;
  }

  /** Takes over the pairs of `other` from `from` on, behind its own. */
  append(other: Block, from: number): void {
    this.times.set(other.times.subarray(from, other.count), this.count);
    this.hashes.set(other.hashes.subarray(from, other.count), this.count);
    this.count += other.count - from;
    other.count = from;
  }
}

export class ExpiryIndex {
  readonly #blocks: Block[] = [];
  #size = 0;
  #capacity = 0;

  get size(): number {
    return this.#size;
  }

  /** When the first one ends; 0 where there is none. */
  get soonestMs(): number {
    return this.#size === 0 ? 0 : this.#blocks[0].times[0];
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.#capacity * PAIR_BYTES + this.#blocks.length * BLOCK_OVERHEAD_BYTES;
  }

  /** Takes a pair whose time was `oldMs` to `newMs`; 0 is none. */
  move(oldMs: number, newMs: number, hash: number): void {
    if (oldMs === newMs) return;
    if (oldMs !== 0) this.delete(oldMs, hash);
    if (newMs !== 0) this.add(newMs, hash);
  }

  add(timeMs: number, hash: number): void {
    this.#size++;
    if (this.#blocks.length === 0) this.#addBlock(0, EXPIRY_BLOCK_PAIRS_FIRST);
    const number = this.#blockOf(timeMs, hash);
    let block = this.#blocks[number];
    let at = block.lowerBound(timeMs, hash);
    if (block.count === EXPIRY_BLOCK_PAIRS_MAX) {
      // Times that come in order fill their blocks: behind the last one a new one begins.
      const half = at === block.count ? at : block.count >>> 1;
      const next = this.#addBlock(number + 1, EXPIRY_BLOCK_PAIRS_MAX);
      next.append(block, half);
      if (at >= half) {
        block = next;
        at -= half;
      }
    } else if (block.count === block.times.length) {
      this.#capacity += block.times.length;
      block.grow();
    }
    block.insert(at, timeMs, hash);
  }

  /** Removes one such pair; whether there was one. */
  delete(timeMs: number, hash: number): boolean {
    if (this.#size === 0) return false;
    const number = this.#blockOf(timeMs, hash);
    const block = this.#blocks[number];
    const at = block.lowerBound(timeMs, hash);
    if (at === block.count || block.times[at] !== timeMs || block.hashes[at] !== hash) return false;
    block.remove(at);
    this.#size--;
    this.#shrink(number);
    return true;
  }

  /** How many end before `nowMs`. Looks at each block of them once. */
  countBefore(nowMs: number): number {
    let count = 0;
    for (const block of this.#blocks) {
      const before = block.lowerBound(nowMs, 0);
      count += before;
      if (before < block.count) break;
    }
    return count;
  }

  /** Visits those that end before `nowMs`, the first ones first, until `visit` says false. */
  visitBefore(nowMs: number, visit: (timeMs: number, hash: number) => boolean): void {
    for (const block of this.#blocks) {
      for (let i = 0; i < block.count; i++) {
        if (block.times[i] >= nowMs || !visit(block.times[i], block.hashes[i])) return;
      }
    }
  }

  /** Number of the last block that begins at or before the pair, or 0. */
  #blockOf(timeMs: number, hash: number): number {
    const blocks = this.#blocks;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = blocks[middle];
      const begins =
        block.precedes(0, timeMs, hash) || (block.times[0] === timeMs && block.hashes[0] === hash);
      if (begins) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #addBlock(number: number, capacity: number): Block {
    const block = new Block(capacity);
    this.#blocks.splice(number, 0, block);
    this.#capacity += capacity;
    return block;
  }

  /** Lets go of an empty block, and puts two that have become small into one. */
  #shrink(number: number): void {
    const blocks = this.#blocks;
    const block = blocks[number];
    if (block.count === 0) {
      this.#drop(number);
      return;
    }
    if (block.count > EXPIRY_BLOCK_PAIRS_MAX / 4) return;
    for (const left of [number - 1, number]) {
      const [first, second] = [blocks[left], blocks[left + 1]];
      if (first === undefined || second === undefined) continue;
      if (first.times.length < EXPIRY_BLOCK_PAIRS_MAX) continue;
      if (first.count + second.count > EXPIRY_BLOCK_PAIRS_MAX / 2) continue;
      first.append(second, 0);
      this.#drop(left + 1);
      return;
    }
  }

  #drop(number: number): void {
    const [block] = this.#blocks.splice(number, 1);
    this.#capacity -= block.times.length;
  }
}
