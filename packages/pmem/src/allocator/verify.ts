/**
 * Walks every block of a region and every list, and accounts for each byte. Reads only; takes time in
 * the number of blocks.
 */
import { LINE_BYTES, WINDOW_LINES_MAX } from '../address.js';
import {
  BLOCK,
  BLOCK_FREE,
  BLOCK_LINES_MIN,
  BLOCK_OWNED,
  BLOCK_PENDING,
  CLASSES_LINE,
  COUNTER,
  COUNTERS_LINE,
  HEADER_LINES,
  WINDOW_WORD,
  WINDOWS_LINE,
} from '../format.js';
import type { RegionVerdict, RegionWindow } from '../types.js';
import { CLASS_COUNT, classOf } from './size-class.js';

const NONE: ReadonlySet<number> = new Set();

/** More than this is not one damage more to learn of. */
const PROBLEMS_MAX = 20;

export function verifyBlocks(windows: readonly RegionWindow[], bytesMax: number): RegionVerdict {
  return new Walk(windows).run(bytesMax);
}

class Walk {
  readonly #windows: readonly RegionWindow[];
  readonly #problems: string[] = [];
  /** Lines of the free blocks of each size class. */
  readonly #free = new Map<number, Set<number>>();
  readonly #pending = new Set<number>();
  #ownedLines = 0;
  #pendingLines = 0;
  #freeBlocks = 0;
  #freeLines = 0;
  #unusedLines = 0;
  #ownedBlocks = 0;

  constructor(windows: readonly RegionWindow[]) {
    this.#windows = windows;
  }

  run(bytesMax: number): RegionVerdict {
    for (let window = 0; window < this.#windows.length; window++) this.#walk(window);
    for (let list = 0; list < CLASS_COUNT; list++) this.#follow(list);
    this.#followPending();
    this.#compareCounters();
    const accounted =
      HEADER_LINES + this.#ownedLines + this.#pendingLines + this.#freeLines + this.#unusedLines;
    if (accounted * LINE_BYTES !== bytesMax) {
      this.#problem(`expected ${bytesMax} bytes in all, got ${accounted * LINE_BYTES}`);
    }
    return {
      ok: this.#problems.length === 0,
      problems: this.#problems,
      ownedBlocks: this.#ownedBlocks,
      pendingBlocks: this.#pending.size,
      freeBlocks: this.#freeBlocks,
      ownedBytes: this.#ownedLines * LINE_BYTES,
      pendingBytes: this.#pendingLines * LINE_BYTES,
      freeBytes: this.#freeLines * LINE_BYTES,
      untouchedBytes: this.#unusedLines * LINE_BYTES,
    };
  }

  #walk(window: number): void {
    const base = window * WINDOW_LINES_MAX;
    const windowLines = this.#windows[window].bytes / LINE_BYTES;
    const at = WINDOWS_LINE * 16 + window * 2;
    const used = this.#windows[0].i32[at + WINDOW_WORD.usedLines];
    const first = window === 0 ? HEADER_LINES : 0;
    if (used < first || used > windowLines) {
      this.#problem(
        `window ${window}: expected ${first} to ${windowLines} used lines, got ${used}`,
      );
      return;
    }
    this.#unusedLines += windowLines - used;
    let previous = 0;
    let wasFree = false;
    for (let line = first; line < used; ) {
      const block = base + line;
      const lines = this.#word(block, BLOCK.lines);
      if (lines < BLOCK_LINES_MIN || line + lines > used) {
        this.#problem(`block at line ${block}: ${lines} lines do not fit; not walked further`);
        return;
      }
      if (this.#word(block, BLOCK.previousLines) !== previous) {
        this.#problem(
          `block at line ${block}: expected ${previous} lines before it, got ${this.#word(block, BLOCK.previousLines)}`,
        );
      }
      const isFree = this.#classify(block, lines);
      if (isFree && wasFree) this.#problem(`block at line ${block}: two free neighbours`);
      wasFree = isFree;
      previous = lines;
      line += lines;
    }
    if (wasFree) this.#problem(`window ${window}: its last block is free`);
    const last = this.#windows[0].i32[at + WINDOW_WORD.lastLines];
    if (last !== previous) {
      this.#problem(`window ${window}: expected a last block of ${previous} lines, got ${last}`);
    }
  }

  /** Counts the block; whether it is free. */
  #classify(block: number, lines: number): boolean {
    const state = this.#word(block, BLOCK.state);
    if (state === BLOCK_FREE) {
      const list = classOf(lines);
      const blocks = this.#free.get(list);
      if (blocks === undefined) this.#free.set(list, new Set([block]));
      else blocks.add(block);
      this.#freeBlocks++;
      this.#freeLines += lines;
      return true;
    }
    const bytes = this.#word(block, BLOCK.bytes);
    if (bytes < 1 || bytes > (lines - 1) * LINE_BYTES) {
      this.#problem(`block at line ${block}: ${bytes} bytes in ${lines} lines`);
    }
    if (state === BLOCK_PENDING) {
      this.#pending.add(block);
      this.#pendingLines += lines;
    } else if (state === BLOCK_OWNED) {
      this.#ownedBlocks++;
      this.#ownedLines += lines;
    } else this.#problem(`block at line ${block}: unknown state 0x${(state >>> 0).toString(16)}`);
    return false;
  }

  #follow(list: number): void {
    const head = this.#word(CLASSES_LINE + (list >>> 4), list & 15);
    this.#compareList(`free list ${list}`, head, this.#free.get(list) ?? NONE);
  }

  #followPending(): void {
    const head = this.#word(COUNTERS_LINE, COUNTER.pendingHead);
    this.#compareList('list of pending blocks', head, this.#pending);
  }

  #compareList(name: string, head: number, expected: ReadonlySet<number>): void {
    if (head === 0 && expected.size === 0) return;
    const left = new Set(expected);
    let before = 0;
    for (let block = head; block !== 0; block = this.#word(block, BLOCK.next)) {
      if (!left.delete(block)) {
        this.#problem(`${name}: block at line ${block} does not belong there`);
        return;
      }
      const previous = this.#word(block, BLOCK.previous);
      if (previous !== before) {
        this.#problem(`${name}: block at line ${block} names ${previous} before it, not ${before}`);
      }
      before = block;
    }
    for (const block of left) this.#problem(`${name}: block at line ${block} is not in it`);
  }

  #compareCounters(): void {
    const counts: [name: string, word: number, expected: number][] = [
      ['taken lines', COUNTER.takenLines, this.#ownedLines + this.#pendingLines],
      ['free lines', COUNTER.freeLines, this.#freeLines],
      ['blocks', COUNTER.blocks, this.#ownedBlocks + this.#pending.size],
    ];
    for (const [name, word, expected] of counts) {
      const came = this.#word(COUNTERS_LINE, word);
      if (came !== expected) this.#problem(`expected ${expected} ${name}, got ${came}`);
    }
  }

  #word(line: number, word: number): number {
    const window = Math.floor(line / WINDOW_LINES_MAX);
    return this.#windows[window]?.i32[(line % WINDOW_LINES_MAX) * 16 + word] ?? -1;
  }

  #problem(text: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(text);
  }
}
