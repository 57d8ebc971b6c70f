/**
 * The simulator's dice: sfc32 (Chris Doty-Humphrey's small fast counting generator), seeded by one
 * integer. Same seed, same throws, on every machine.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seeds` are integers; all of them matter. */
  constructor(...seeds: readonly number[]) {
    let mixed = 0x9e3779b9;
    for (const seed of seeds) {
      mixed = Math.imul(mixed ^ (seed | 0), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13) ^ Math.floor(seed / 0x1_0000_0000), 0xc2b2ae35);
      mixed ^= mixed >>> 16;
    }
    this.#a = mixed;
    this.#b = mixed ^ 0x243f6a88;
    this.#c = mixed ^ 0x13198a2e;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** An integer from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uint32() < probability * 0x1_0000_0000;
  }

  /** Puts `items` in random order, in place; returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i += 4) {
      let word = this.uint32();
      for (let j = i; j < i + 4 && j < target.length; j++) {
        target[j] = word & 0xff;
        word >>>= 8;
      }
    }
  }
}
