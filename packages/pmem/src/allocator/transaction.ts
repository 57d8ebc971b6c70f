/**
 * Several words of the region changed as one: after a crash all of them are, or none.
 *
 *     stage     set(line, word, value) ...                    in private memory, or stored at once
 *     log       entries, sequence, crc, then the state word   flush, drain: this commits
 *     apply     each word in its place                        flush, drain
 *     clear     state := 0                                    flush, drain
 *
 * Invariants
 *  1. On a medium that survives nothing the words are stored at once and nothing is logged.
 *  2. An entry list whose crc does not fit was never committed, and nothing of it was applied.
 *  3. The log is cleared durably before the transaction returns: redoing one later could undo what
 *     its caller did to the same words since.
 *  4. Words of the caller (`publish`) are stored last and atomically: threads read them.
 *
 * Concurrency: the writer's thread alone.
 */
import { crc32 } from 'node:zlib';
import { LINE_BYTES, LINE_POSITION_MASK, LINE_WINDOW_SHIFT } from '../address.js';
import { LOG, LOG_ENTRIES_LINE, LOG_ENTRY_WORDS, LOG_LINE } from '../format.js';
import { TRANSACTION_WORDS_MAX } from '../limits.js';
import type { Medium } from '../media/medium.js';
import type { RegionWindow } from '../types.js';

const SEQUENCE_AND_COUNT_WORDS = 2;

export class Transaction {
  readonly #medium: Medium;
  readonly #windows: readonly RegionWindow[];
  /** Whether words are logged before they are stored. */
  readonly #logged: boolean;
  /** What the crc covers: sequence, count, entries. */
  readonly #staged = new Int32Array(
    SEQUENCE_AND_COUNT_WORDS + TRANSACTION_WORDS_MAX * LOG_ENTRY_WORDS,
  );
  readonly #bytes = new Uint8Array(this.#staged.buffer);
  #count = 0;
  /** Entries from here on are the caller's. */
  #published = 0;
  #isOpen = false;

  constructor(medium: Medium) {
    this.#medium = medium;
    this.#windows = medium.windows;
    this.#logged = medium.caps.durable !== 'none';
  }

  /** Whether words were staged and not committed: outside of a step, that one failed in the middle. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The word as it will be. */
  get(line: number, word: number): number {
    const staged = this.#staged;
    for (let i = this.#count - 1; i >= 0; i--) {
      const at = SEQUENCE_AND_COUNT_WORDS + i * LOG_ENTRY_WORDS;
      if (staged[at] === line && staged[at + 1] === word) return staged[at + 2];
    }
    return this.#windows[line >>> LINE_WINDOW_SHIFT].i32[((line & LINE_POSITION_MASK) << 4) + word];
  }

  /** Changes one of the allocator's words. */
  set(line: number, word: number, value: number): void {
    this.#isOpen = true;
    if (!this.#logged) {
      this.#windows[line >>> LINE_WINDOW_SHIFT].store32(
        ((line & LINE_POSITION_MASK) << 4) + word,
        value,
      );
      return;
    }
    const staged = this.#staged;
    for (let i = 0; i < this.#count; i++) {
      const at = SEQUENCE_AND_COUNT_WORDS + i * LOG_ENTRY_WORDS;
      if (staged[at] === line && staged[at + 1] === word) {
        staged[at + 2] = value;
        return;
      }
    }
    this.#push(line, word, value);
    this.#published = this.#count;
  }

  /** Changes a word of the caller; after every `set`. */
  publish(line: number, word: number, value: number): void {
    this.#isOpen = true;
    if (this.#logged) this.#push(line, word, value);
    else this.#commit32(line, word, value);
  }

  /** Makes what was staged happen. Throws what the medium throws; the region is poisoned then. */
  commit(): void {
    if (this.#logged) {
      this.#writeLog();
      this.#apply();
      this.#clear();
      this.#count = 0;
      this.#published = 0;
    }
    this.#isOpen = false;
  }

  /**
   * Finishes or forgets what a crash interrupted; whether there was something to finish. Itself safe
   * to crash: redoing is idempotent until the log is cleared.
   */
  recover(): boolean {
    const { i32 } = this.#windows[0];
    const count = i32[LOG_LINE * 16 + LOG.state];
    if (count === 0) return false;
    const whole = count > 0 && count <= TRANSACTION_WORDS_MAX && this.#load(count);
    if (whole) {
      this.#count = count;
      this.#apply();
    }
    this.#clear();
    this.#count = 0;
    return whole;
  }

  #push(line: number, word: number, value: number): void {
    if (this.#count === TRANSACTION_WORDS_MAX) {
      throw new RangeError(`expected at most ${TRANSACTION_WORDS_MAX} words in a transaction`);
    }
    const at = SEQUENCE_AND_COUNT_WORDS + this.#count * LOG_ENTRY_WORDS;
    this.#staged[at] = line;
    this.#staged[at + 1] = word;
    this.#staged[at + 2] = value;
    this.#count++;
  }

  #writeLog(): void {
    const window = this.#windows[0];
    const base = LOG_LINE * 16;
    this.#staged[0] = window.i32[base + LOG.sequence] + 1;
    this.#staged[1] = this.#count;
    const words = this.#count * LOG_ENTRY_WORDS;
    for (let i = 0; i < words; i++) {
      window.store32(LOG_ENTRIES_LINE * 16 + i, this.#staged[SEQUENCE_AND_COUNT_WORDS + i]);
    }
    window.store32(base + LOG.sequence, this.#staged[0]);
    window.store32(base + LOG.crc, this.#crc());
    window.commit32(base + LOG.state, this.#count);
    if (!this.#medium.flushes) return;
    this.#medium.flush(LOG_LINE * LINE_BYTES, LINE_BYTES + words * 4);
    this.#medium.drain();
  }

  #apply(): void {
    const staged = this.#staged;
    for (let i = 0; i < this.#count; i++) {
      const at = SEQUENCE_AND_COUNT_WORDS + i * LOG_ENTRY_WORDS;
      if (i >= this.#published) this.#commit32(staged[at], staged[at + 1], staged[at + 2]);
      else {
        this.#windows[staged[at] >>> LINE_WINDOW_SHIFT].store32(
          ((staged[at] & LINE_POSITION_MASK) << 4) + staged[at + 1],
          staged[at + 2],
        );
      }
    }
    if (!this.#medium.flushes) return;
    for (let i = 0; i < this.#count; i++) {
      const line = staged[SEQUENCE_AND_COUNT_WORDS + i * LOG_ENTRY_WORDS];
      if (this.#isFirstOfLine(i, line)) this.#medium.flush(line * LINE_BYTES, LINE_BYTES);
    }
    this.#medium.drain();
  }

  #clear(): void {
    this.#windows[0].commit32(LOG_LINE * 16 + LOG.state, 0);
    if (!this.#medium.flushes) return;
    this.#medium.flush(LOG_LINE * LINE_BYTES, 4);
    this.#medium.drain();
  }

  /** Reads a logged transaction back; whether its crc fits. */
  #load(count: number): boolean {
    const { i32 } = this.#windows[0];
    this.#staged[0] = i32[LOG_LINE * 16 + LOG.sequence];
    this.#staged[1] = count;
    for (let i = 0; i < count * LOG_ENTRY_WORDS; i++) {
      this.#staged[SEQUENCE_AND_COUNT_WORDS + i] = i32[LOG_ENTRIES_LINE * 16 + i];
    }
    this.#count = count;
    const fits = this.#crc() === i32[LOG_LINE * 16 + LOG.crc];
    this.#count = 0;
    return fits;
  }

  #crc(): number {
    const words = SEQUENCE_AND_COUNT_WORDS + this.#count * LOG_ENTRY_WORDS;
    return crc32(this.#bytes.subarray(0, words * 4)) | 0;
  }

  #isFirstOfLine(index: number, line: number): boolean {
    for (let i = 0; i < index; i++) {
      if (this.#staged[SEQUENCE_AND_COUNT_WORDS + i * LOG_ENTRY_WORDS] === line) return false;
    }
    return true;
  }

  #commit32(line: number, word: number, value: number): void {
    this.#windows[line >>> LINE_WINDOW_SHIFT].commit32(
      ((line & LINE_POSITION_MASK) << 4) + word,
      value,
    );
  }
}
