/**
 * The words that threads share to agree on epochs.
 *
 *     line 0       epoch | slots ever used
 *     line 1 + i   announced epoch | owner          one slot of a reader
 *
 * An epoch is a counter of 30 bits that wraps. A slot announces `epoch * 2 + 1` while its reader is
 * inside a guard, 0 while it is not. The owner is the attachment that claimed the slot, 0 for none.
 *
 * Invariants
 *  1. A slot has a cache line of its own: announcing costs no other reader anything.
 *  2. The epoch advances only while every slot is idle or at it.
 *  3. A slot is idle before it loses its owner.
 *
 * Concurrency: any number of threads claim, announce and release; one advances.
 */
import { LINE_BYTES, LINE_WORDS } from '../address.js';
import { PmemError } from '../errors.js';
import { EPOCH_SLOTS_MAX } from '../limits.js';

const EPOCH = 0;
const SLOTS_USED = 1;
const ANNOUNCED = 0;
const OWNER = 1;
const EPOCH_MASK = 0x3fffffff;

/** How many epochs a retired block waits: a reader may have come at its epoch or one before. */
const GRACE_EPOCHS = 2;

export class EpochSlots {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer((1 + EPOCH_SLOTS_MAX) * LINE_BYTES);
    this.#words = new Int32Array(this.buffer);
  }

  get epoch(): number {
    return Atomics.load(this.#words, EPOCH);
  }

  /** Takes a slot for `owner` (from 1). Throws `PMEM_EPOCH_SLOTS`. */
  claim(owner: number): number {
    for (let slot = 0; slot < EPOCH_SLOTS_MAX; slot++) {
      if (Atomics.compareExchange(this.#words, at(slot, OWNER), 0, owner) !== 0) continue;
      for (;;) {
        const used = Atomics.load(this.#words, SLOTS_USED);
        if (used > slot) return slot;
        Atomics.compareExchange(this.#words, SLOTS_USED, used, slot + 1);
      }
    }
    throw new PmemError(
      'PMEM_EPOCH_SLOTS',
      `expected a free reader slot, got ${EPOCH_SLOTS_MAX} taken: release readers that are done, or share one a thread`,
    );
  }

  release(slot: number): void {
    Atomics.store(this.#words, at(slot, ANNOUNCED), 0);
    Atomics.store(this.#words, at(slot, OWNER), 0);
  }

  /** Frees every slot of an attachment that is gone; returns how many there were. */
  releaseAll(owner: number): number {
    let released = 0;
    // All of them: a thread may die between claiming a slot and counting it as used.
    for (let slot = 0; slot < EPOCH_SLOTS_MAX; slot++) {
      if (Atomics.load(this.#words, at(slot, OWNER)) !== owner) continue;
      this.release(slot);
      released++;
    }
    return released;
  }

  /** Announces the epoch in `slot`: before the reader loads anything it could be told to free. */
  announce(slot: number): void {
    const words = this.#words;
    Atomics.store(words, at(slot, ANNOUNCED), (Atomics.load(words, EPOCH) << 1) | 1);
  }

  idle(slot: number): void {
    Atomics.store(this.#words, at(slot, ANNOUNCED), 0);
  }

  /** Goes to the next epoch, unless a reader is still in an earlier one. */
  tryAdvance(): boolean {
    const words = this.#words;
    const epoch = Atomics.load(words, EPOCH);
    const here = (epoch << 1) | 1;
    const used = Atomics.load(words, SLOTS_USED);
    for (let slot = 0; slot < used; slot++) {
      const announced = Atomics.load(words, at(slot, ANNOUNCED));
      if (announced !== 0 && announced !== here) return false;
    }
    Atomics.store(words, EPOCH, (epoch + 1) & EPOCH_MASK);
    return true;
  }

  /** Whether no reader can still see what was unlinked before epoch `tag` was read. */
  isPast(tag: number): boolean {
    return ((Atomics.load(this.#words, EPOCH) - tag) & EPOCH_MASK) >= GRACE_EPOCHS;
  }

  /** Slots that have an owner, and those of them inside a guard. */
  count(): { claimed: number; active: number } {
    let claimed = 0;
    let active = 0;
    const used = Atomics.load(this.#words, SLOTS_USED);
    for (let slot = 0; slot < used; slot++) {
      if (Atomics.load(this.#words, at(slot, OWNER)) !== 0) claimed++;
      if (Atomics.load(this.#words, at(slot, ANNOUNCED)) !== 0) active++;
    }
    return { claimed, active };
  }
}

function at(slot: number, word: number): number {
  return (1 + slot) * LINE_WORDS + word;
}
