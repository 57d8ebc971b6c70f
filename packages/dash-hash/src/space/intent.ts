/**
 * New blocks taking the place of an old one, as one step: after a crash all words say the old, or all
 * say the new, and no block is lost.
 *
 *     alloc into intent.first, intent.second      a crash here: they are freed
 *     build and write back
 *     words of the change, then kind := replace   a crash from here on: the change is finished
 *     the words themselves, old disowned, kind := none
 *
 * In a region that survives nothing the words are stored, and nothing is written down.
 *
 * Invariants
 *  1. One intent at a time: one thread writes, and no step waits.
 *  2. The intent is in one cache line, `kind` stored last: its words are durable when `kind` is.
 *  3. Redoing is idempotent until `kind` is none, which is the same step as disowning the old block.
 */
import { INTENT, INTENT_REPLACE, SPACE } from '../format.js';
import type { Space } from './space.js';
import { offsetOf, windowAt, wordOf } from './words.js';

export class Intent {
  readonly #space: Space;

  constructor(space: Space) {
    this.#space = space;
  }

  /** A new block, for the low half (0) or the high half (1) of the words. Throws `PMEM_EXHAUSTED`. */
  alloc(block: number, bytes: number): number {
    return this.#space.alloc(bytes, this.#offset(INTENT.first + block));
  }

  /** Frees a new block that is not needed after all. */
  giveBack(block: number, unit: number, bytes: number): void {
    const from = this.#offset(INTENT.first + block);
    this.#space.region.free(offsetOf(unit), bytes, { from });
  }

  /**
   * Makes `count` words from word `word` behind `unit` name new blocks: the first half become `low`,
   * the others `high`. The block `old` (0: none) belongs to nobody afterwards.
   */
  replace(unit: number, word: number, count: number, low: number, high: number, old: number): void {
    if (this.#space.outlives) {
      this.#set(INTENT.unit, unit);
      this.#set(INTENT.word, word);
      this.#set(INTENT.count, count);
      this.#set(INTENT.firstValue, low);
      this.#set(INTENT.secondValue, high);
      this.#set(INTENT.old, old);
      this.#commit(INTENT.kind, INTENT_REPLACE);
      this.#persist();
    }
    this.#store(unit, word, count, low, high);
    if (this.#space.outlives) this.#finish(old);
    else {
      this.#set(INTENT.first, 0);
      this.#set(INTENT.second, 0);
    }
  }

  /** Finishes, or takes back, what a crash cut off. */
  recover(): void {
    const { region } = this.#space;
    if (this.#get(INTENT.kind) === INTENT_REPLACE) {
      const [unit, word, count] = [INTENT.unit, INTENT.word, INTENT.count].map((i) => this.#get(i));
      const old = this.#get(INTENT.old);
      this.#store(unit, word, count, this.#get(INTENT.firstValue), this.#get(INTENT.secondValue));
      this.#finish(old);
      if (old !== 0) region.free(offsetOf(old), region.sizeOf(offsetOf(old)));
      return;
    }
    for (const block of [INTENT.first, INTENT.second]) {
      const offset = offsetOf(this.#get(block));
      if (offset !== 0) region.free(offset, region.sizeOf(offset), { from: this.#offset(block) });
    }
  }

  #store(unit: number, word: number, count: number, low: number, high: number): void {
    const { windows, region } = this.#space;
    const window = windowAt(windows, unit);
    const first = wordOf(unit) + word;
    for (let i = 0; i < count; i++) window.commit32(first + i, i * 2 < count ? low : high);
    region.persist(offsetOf(unit) + word * 4, count * 4);
  }

  /** Forgets the intent and takes the old block from its owner, in one step. */
  #finish(old: number): void {
    this.#space.region.publish(0, this.#offset(INTENT.kind), {
      withdraws: old === 0 ? undefined : offsetOf(old),
      words: [
        [this.#offset(INTENT.first), 0],
        [this.#offset(INTENT.second), 0],
      ],
    });
  }

  #get(word: number): number {
    return this.#space.word(SPACE.intent + word);
  }

  #set(word: number, value: number): void {
    this.#space.window.store32(this.#space.at + SPACE.intent + word, value);
  }

  #commit(word: number, value: number): void {
    this.#space.window.commit32(this.#space.at + SPACE.intent + word, value);
  }

  #offset(word: number): number {
    return this.#space.offsetOfWord(SPACE.intent + word);
  }

  #persist(): void {
    const { region, flushes } = this.#space;
    if (flushes) region.persist(this.#offset(0), (INTENT.old + 1) * 4);
  }
}
