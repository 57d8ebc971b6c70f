/** Random numbers from the environment, taken many at a time: a call to the system for each is slow. */
import type { Randomness } from '@nendb/vfs';

/** Numbers drawn at once: 1 KiB of randomness. */
const NUMBERS = 256;

export class RandomNumbers {
  readonly #source: Randomness;
  readonly #numbers = new Uint32Array(NUMBERS);
  #left = 0;

  constructor(source: Randomness) {
    this.#source = source;
  }

  /** From 0 to below 1, in steps of 2^-32. */
  next(): number {
    if (this.#left === 0) {
      this.#source.fill(new Uint8Array(this.#numbers.buffer));
      this.#left = NUMBERS;
    }
    return this.#numbers[--this.#left] / 0x100000000;
  }
}
