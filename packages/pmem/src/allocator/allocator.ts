/**
 * Hands out blocks of whole cache lines and takes them back.
 *
 *     window   | block | block | free | block |  never handed out yet ...
 *              0                              usedLines
 *
 * Free blocks are in lists by size class and are joined with their neighbours at once; a block at the
 * end goes back to what was never handed out. An allocation takes the best fit of a few blocks of
 * its class, else the first of the next class that has any, else memory never handed out, else
 * searches its own class to the end.
 *
 * Invariants
 *  1. Every change is one transaction: after a crash a block is free, pending or owned, never none
 *     of them and never two.
 *  2. A pending block belongs to nobody: `reclaimPending` at open frees it.
 *  3. What can be refused is refused before the first word is staged.
 *  4. The counters in the region's header are exact: opening walks nothing.
 *
 * Concurrency: the writer's thread alone.
 */
import { LINE_BYTES, LINE_POSITION_MASK, LINE_WINDOW_SHIFT, WINDOW_LINES_MAX } from '../address.js';
import { PmemError } from '../errors.js';
import {
  BLOCK,
  BLOCK_FREE,
  BLOCK_LINES_MIN,
  BLOCK_OWNED,
  BLOCK_PENDING,
  COUNTER,
  COUNTERS_LINE,
  HEADER_LINES,
  WINDOW_WORD,
  WINDOWS_LINE,
} from '../format.js';
import { ALLOCATION_BYTES_MAX, FIT_TRIES_MAX } from '../limits.js';
import type { Medium } from '../media/medium.js';
import { BlockLists, damaged, endless, PENDING_LIST } from './block-lists.js';
import { classOf } from './size-class.js';
import type { Transaction } from './transaction.js';

export class Allocator {
  readonly #medium: Medium;
  readonly #words: Transaction;
  readonly #lists: BlockLists;

  constructor(medium: Medium, words: Transaction) {
    this.#medium = medium;
    this.#words = words;
    this.#lists = new BlockLists(words, medium.bytesMax / LINE_BYTES);
  }

  /** Lines of a block that holds `bytes` bytes. Throws `PMEM_BAD_OPTION` for impossible sizes. */
  linesFor(bytes: number): number {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > ALLOCATION_BYTES_MAX) {
      throw new PmemError(
        'PMEM_BAD_OPTION',
        `expected an allocation of 1 to ${ALLOCATION_BYTES_MAX} bytes, got ${bytes}: split it`,
      );
    }
    return 1 + Math.ceil(bytes / LINE_BYTES);
  }

  /**
   * Finds room for a block of `lines` lines and makes its memory usable, changing nothing else; the
   * place is for the next `take`. Throws `PMEM_EXHAUSTED`.
   */
  find(lines: number): number {
    const block = this.#findFree(lines) || this.#findUnused(lines) || this.#scanClass(lines);
    if (block === 0) {
      throw new PmemError(
        'PMEM_EXHAUSTED',
        `expected ${lines * LINE_BYTES} bytes in one piece, got none in a region of ${this.#medium.bytesMax} bytes: free something, or make the region larger`,
      );
    }
    return block;
  }

  /** Stages handing out the place that `find` gave. */
  take(block: number, lines: number, bytes: number, owned: boolean): void {
    const words = this.#words;
    const window = block >>> LINE_WINDOW_SHIFT;
    const used = this.#usedLines(window);
    let taken = lines;
    if ((block & LINE_POSITION_MASK) === used) {
      words.set(block, BLOCK.previousLines, this.#lastLines(window));
      this.#setEnd(window, used + lines, lines);
    } else {
      const found = this.#checkedLines(block, BLOCK_FREE);
      this.#lists.remove(classOf(found), block);
      const rest = found - lines;
      if (rest < BLOCK_LINES_MIN) taken = found;
      else {
        words.set(block + lines, BLOCK.previousLines, lines);
        this.#makeFree(block + lines, rest);
      }
      this.#count(COUNTER.freeLines, -found);
    }
    words.set(block, BLOCK.state, owned ? BLOCK_OWNED : BLOCK_PENDING);
    words.set(block, BLOCK.lines, taken);
    words.set(block, BLOCK.bytes, bytes);
    if (!owned) this.#lists.insert(PENDING_LIST, block);
    this.#count(COUNTER.takenLines, taken);
    this.#count(COUNTER.blocks, 1);
  }

  /** Stages giving a block back, joined with its free neighbours. */
  release(block: number): void {
    const isPending = this.isPending(block);
    const taken = this.#checkedLines(block, isPending ? BLOCK_PENDING : BLOCK_OWNED);
    if (isPending) this.#lists.remove(PENDING_LIST, block);
    this.#count(COUNTER.takenLines, -taken);
    this.#count(COUNTER.blocks, -1);
    this.#join(block, taken);
  }

  /** Stages a pending block's getting an owner. */
  own(block: number): void {
    if (this.#words.get(block, BLOCK.state) === BLOCK_OWNED) return;
    this.#lists.remove(PENDING_LIST, block);
    this.#words.set(block, BLOCK.state, BLOCK_OWNED);
  }

  /** Stages an owned block's losing its owner. */
  disown(block: number): void {
    if (this.#words.get(block, BLOCK.state) === BLOCK_PENDING) return;
    this.#words.set(block, BLOCK.state, BLOCK_PENDING);
    this.#lists.insert(PENDING_LIST, block);
  }

  isPending(block: number): boolean {
    return this.#words.get(block, BLOCK.state) === BLOCK_PENDING;
  }

  /** The first pending block, 0 where there is none. */
  get pendingHead(): number {
    return this.#lists.head(PENDING_LIST);
  }

  /** The bytes asked for with the block whose contents begin at `offset`, -1 where there is none. */
  bytesAt(offset: number): number {
    const block = offset / LINE_BYTES - 1;
    if (!Number.isInteger(block) || block < HEADER_LINES) return -1;
    if (offset >= this.#medium.bytesMax) return -1;
    const window = block >>> LINE_WINDOW_SHIFT;
    if ((block & LINE_POSITION_MASK) >= this.#usedLines(window)) return -1;
    const state = this.#words.get(block, BLOCK.state);
    if (state !== BLOCK_OWNED && state !== BLOCK_PENDING) return -1;
    return this.#words.get(block, BLOCK.bytes);
  }

  /** Lines of the largest free block. */
  largestFreeLines(): number {
    let last = -1;
    for (let list = this.#lists.filledFrom(0); list !== -1; ) {
      last = list;
      list = this.#lists.filledFrom(list + 1);
    }
    if (last === -1) return 0;
    const blocksMax = this.#freeBlocksMax();
    let largest = 0;
    let seen = 0;
    for (let at = this.#lists.head(last); at !== 0; at = this.#lists.next(at)) {
      if (seen++ === blocksMax) throw endless('free blocks', blocksMax);
      largest = Math.max(largest, this.#words.get(at, BLOCK.lines));
    }
    return largest;
  }

  /** How far blocks reach in a window, in lines from its start. */
  #usedLines(window: number): number {
    const used = this.#windowWord(window, WINDOW_WORD.usedLines);
    if (used >= 0 && used * LINE_BYTES <= this.#medium.windows[window].bytes) return used;
    throw damaged(`the blocks of window ${window} end at its line ${used}`);
  }

  #lastLines(window: number): number {
    return this.#windowWord(window, WINDOW_WORD.lastLines);
  }

  #windowWord(window: number, word: number): number {
    const index = window * 2 + word;
    return this.#words.get(WINDOWS_LINE + (index >>> 4), index & 15);
  }

  #setEnd(window: number, usedLines: number, lastLines: number): void {
    const index = window * 2;
    this.#words.set(WINDOWS_LINE + (index >>> 4), (index & 15) + WINDOW_WORD.usedLines, usedLines);
    this.#words.set(WINDOWS_LINE + (index >>> 4), (index & 15) + WINDOW_WORD.lastLines, lastLines);
  }

  #count(counter: number, by: number): void {
    this.#words.set(COUNTERS_LINE, counter, this.#words.get(COUNTERS_LINE, counter) + by);
  }

  #freeBlocksMax(): number {
    return Math.floor(this.#words.get(COUNTERS_LINE, COUNTER.freeLines) / BLOCK_LINES_MIN);
  }

  #findFree(lines: number): number {
    const own = classOf(lines);
    let best = this.#bestOf(own, lines, FIT_TRIES_MAX);
    if (best === 0) {
      const list = this.#lists.filledFrom(own + 1);
      if (list !== -1) best = this.#bestOf(list, lines, FIT_TRIES_MAX);
    }
    return best;
  }

  #scanClass(lines: number): number {
    return this.#bestOf(classOf(lines), lines, Number.POSITIVE_INFINITY);
  }

  #bestOf(list: number, lines: number, triesMax: number): number {
    const blocksMax = this.#freeBlocksMax();
    let best = 0;
    let bestLines = Number.POSITIVE_INFINITY;
    let tries = 0;
    for (let at = this.#lists.head(list); at !== 0 && tries < triesMax; tries++) {
      if (tries === blocksMax) throw endless('free blocks', blocksMax);
      const found = this.#words.get(at, BLOCK.lines);
      if (found >= lines && found < bestLines) {
        best = at;
        bestLines = found;
        if (found === lines) break;
      }
      at = this.#lists.next(at);
    }
    return best;
  }

  #findUnused(lines: number): number {
    const { windows } = this.#medium;
    let refusal: unknown;
    for (let window = 0; window < windows.length; window++) {
      const used = this.#usedLines(window);
      if (used + lines > windows[window].bytes / LINE_BYTES) continue;
      try {
        this.#medium.reserve(window, (used + lines) * LINE_BYTES);
        return window * WINDOW_LINES_MAX + used;
      } catch (error) {
        refusal = error;
        break;
      }
    }
    const scanned = refusal === undefined ? 0 : this.#scanClass(lines);
    if (refusal !== undefined && scanned === 0) throw refusal;
    return scanned;
  }

  /** The length of a block that is in `state`, once it is clear that its header fits where it is. */
  #checkedLines(block: number, state: number): number {
    const window = block >>> LINE_WINDOW_SHIFT;
    const position = block & LINE_POSITION_MASK;
    const first = window === 0 ? HEADER_LINES : 0;
    const lines = this.#words.get(block, BLOCK.lines);
    const before = this.#words.get(block, BLOCK.previousLines);
    const fits = lines >= BLOCK_LINES_MIN && position + lines <= this.#usedLines(window);
    const follows = position === first ? before === 0 : before > 0 && position - before >= first;
    if (fits && follows && this.#words.get(block, BLOCK.state) === state) return lines;
    throw damaged(`the block at line ${block}, of ${lines} lines behind ${before}, does not fit`);
  }

  /** Makes `[block, block + lines)` free, together with free neighbours. */
  #join(block: number, lines: number): void {
    const words = this.#words;
    const window = block >>> LINE_WINDOW_SHIFT;
    const end = window * WINDOW_LINES_MAX + this.#usedLines(window);
    let first = block;
    let total = lines;
    const next = block + lines;
    if (next < end && words.get(next, BLOCK.state) === BLOCK_FREE) {
      total += this.#swallow(next);
    }
    const previousLines = words.get(block, BLOCK.previousLines);
    if (previousLines > 0) {
      const previous = block - previousLines;
      if (words.get(previous, BLOCK.state) === BLOCK_FREE) {
        total += this.#swallow(previous);
        first = previous;
      }
    }
    // A header that nothing leads to any more must not pass for a block in a second `free`.
    words.set(block, BLOCK.state, 0);
    if (first + total < end) this.#makeFree(first, total);
    else {
      words.set(first, BLOCK.state, 0);
      const used = first & LINE_POSITION_MASK;
      this.#setEnd(window, used, words.get(first, BLOCK.previousLines));
    }
  }

  /** Takes a free block out of its list, to be part of another; returns its lines. */
  #swallow(block: number): number {
    const lines = this.#checkedLines(block, BLOCK_FREE);
    this.#lists.remove(classOf(lines), block);
    this.#count(COUNTER.freeLines, -lines);
    this.#words.set(block, BLOCK.state, 0);
    return lines;
  }

  /** Writes the header of a free block that is not the last of its window, and lists it. */
  #makeFree(block: number, lines: number): void {
    const words = this.#words;
    words.set(block, BLOCK.state, BLOCK_FREE);
    words.set(block, BLOCK.lines, lines);
    words.set(block, BLOCK.bytes, 0);
    words.set(block + lines, BLOCK.previousLines, lines);
    this.#lists.insert(classOf(lines), block);
    this.#count(COUNTER.freeLines, lines);
  }
}
