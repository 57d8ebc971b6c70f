/**
 * One growing buffer of memory that other threads may read: entries of a memtable are laid out in one,
 * pages of its index in another, one behind the other; they never move relative to its start.
 *
 * Invariants
 *  1. What was written stays as it is: growth copies it to a larger buffer, and who still holds the
 *     old one reads the same bytes there.
 *  2. Fresh words are zero.
 *
 * Memory that is reserved and not yet used costs nothing: the system hands out pages at first touch.
 */
import { ARENA_BYTES_MAX } from '../limits.js';

export class Arena {
  words: Uint32Array;
  bytes: Uint8Array;
  /** Words in use. The first cache line is never handed out: index 0 stands for nothing. */
  usedWords = 16;

  /** What `words` and `bytes` are views of. */
  shared: SharedArrayBuffer;

  /** An arena of so many bytes, or the one that another thread has filled. */
  constructor(bytes: number, shared?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(Math.ceil(bytes / 64 + 1) * 64);
    this.words = new Uint32Array(this.shared);
    this.bytes = new Uint8Array(this.shared);
  }

  /** Makes room for so many more words; returns the index of the first. */
  take(words: number): number {
    const at = this.usedWords;
    if (at + words > this.words.length) this.#grow(at + words);
    this.usedWords = at + words;
    return at;
  }

  #grow(wordsMin: number): void {
    const bytes = Math.min(Math.max(this.bytes.length * 2, wordsMin * 8), ARENA_BYTES_MAX);
    if (bytes < wordsMin * 4) {
      throw new RangeError(
        `expected a memtable of at most ${ARENA_BYTES_MAX} bytes, got one more entry that needs ${wordsMin * 4}: freeze it earlier`,
      );
    }
    const shared = new SharedArrayBuffer(bytes);
    const words = new Uint32Array(shared);
    words.set(this.words.subarray(0, this.usedWords));
    this.shared = shared;
    this.words = words;
    this.bytes = new Uint8Array(shared);
  }
}
