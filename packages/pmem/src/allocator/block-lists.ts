/**
 * Doubly linked lists of blocks through their headers: one of free blocks per size class, and one of
 * pending blocks. Heads are in the region's header.
 *
 * A bit per class, kept in private memory, says which lists are not empty; it is rebuilt at open.
 *
 * Links are checked before they are followed or changed: damage ends in `PMEM_CORRUPT`, and does not
 * spread.
 */
import { PmemError } from '../errors.js';
import { BLOCK, CLASSES_LINE, COUNTER, COUNTERS_LINE, HEADER_LINES } from '../format.js';
import { CLASS_COUNT } from './size-class.js';
import type { Transaction } from './transaction.js';

/** A list: its size class, or the pending blocks. */
export type ListId = number;

export const PENDING_LIST: ListId = CLASS_COUNT;

export class BlockLists {
  readonly #words: Transaction;
  /** Lines of the region. */
  readonly #linesMax: number;
  readonly #filled = new Int32Array(Math.ceil((CLASS_COUNT + 1) / 32));

  constructor(words: Transaction, linesMax: number) {
    this.#words = words;
    this.#linesMax = linesMax;
    for (let list = 0; list <= PENDING_LIST; list++) if (this.head(list) !== 0) this.#mark(list);
  }

  /** The line of the first block, 0 where the list is empty. */
  head(list: ListId): number {
    return this.#checked(this.#words.get(headLine(list), headWord(list)));
  }

  next(block: number): number {
    return this.#checked(this.#words.get(block, BLOCK.next));
  }

  /** The first list from `list` on that holds free blocks, or -1. */
  filledFrom(list: ListId): ListId {
    for (let at = list; at < CLASS_COUNT; ) {
      const rest = this.#filled[at >>> 5] >>> (at & 31);
      if (rest !== 0) {
        const found = at + (31 - Math.clz32(rest & -rest));
        return found < CLASS_COUNT ? found : -1;
      }
      at = (at | 31) + 1;
    }
    return -1;
  }

  insert(list: ListId, block: number): void {
    const words = this.#words;
    const head = this.head(list);
    words.set(block, BLOCK.next, head);
    words.set(block, BLOCK.previous, 0);
    if (head !== 0) words.set(head, BLOCK.previous, block);
    words.set(headLine(list), headWord(list), block);
    this.#mark(list);
  }

  remove(list: ListId, block: number): void {
    const words = this.#words;
    const next = this.next(block);
    const previous = this.#checked(words.get(block, BLOCK.previous));
    const before = previous === 0 ? this.head(list) : this.next(previous);
    if (before !== block || (next !== 0 && words.get(next, BLOCK.previous) !== block)) {
      throw damaged(`the neighbours of the block at line ${block} in its list do not name it`);
    }
    if (previous !== 0) words.set(previous, BLOCK.next, next);
    else {
      words.set(headLine(list), headWord(list), next);
      if (next === 0) this.#filled[list >>> 5] &= ~(1 << (list & 31));
    }
    if (next !== 0) words.set(next, BLOCK.previous, previous);
  }

  #checked(line: number): number {
    if (line === 0 || (line >= HEADER_LINES && line < this.#linesMax)) return line;
    throw damaged(`a list leads to line ${line}`);
  }

  #mark(list: ListId): void {
    this.#filled[list >>> 5] |= 1 << (list & 31);
  }
}

function headLine(list: ListId): number {
  return list === PENDING_LIST ? COUNTERS_LINE : CLASSES_LINE + (list >>> 4);
}

function headWord(list: ListId): number {
  return list === PENDING_LIST ? COUNTER.pendingHead : list & 15;
}

/** A `PMEM_CORRUPT` error: `problem` was found among the blocks. */
export function damaged(problem: string): PmemError {
  return new PmemError(
    'PMEM_CORRUPT',
    `expected sound blocks and lists, but ${problem}: see verify() for more; open the region with create: 'replace' and rebuild what it held`,
  );
}

/** A `PMEM_CORRUPT` error: a list has more blocks than there are. */
export function endless(list: string, blocks: number): PmemError {
  return damaged(`the list of ${list} goes on after all ${blocks} of them`);
}
