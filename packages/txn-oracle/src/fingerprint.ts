/**
 * 64 bits that stand for a key, in two halves.
 *
 * Hot: two lanes of MurmurHash3's 32-bit rounds with different constants, mixed at the end; no
 * allocation. It need not resist an adversary: whoever can write a key made to collide with another
 * gains a conflict with its readers, which writing that other key would have given. Equal
 * fingerprints share one row of the index, so that collisions lengthen no chain.
 *
 * Source: Austin Appleby, MurmurHash3 (public domain).
 */
export class Fingerprint {
  /** Signed 32-bit halves of the last key given to `of`. */
  low = 0;
  high = 0;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  of(key: Uint8Array, from: number, to: number): void {
    let low = this.#seed;
    let high = ~this.#seed;
    let at = from;
    for (; at + 4 <= to; at += 4) {
      const word = key[at] | (key[at + 1] << 8) | (key[at + 2] << 16) | (key[at + 3] << 24);
      low = lowRound(low, word);
      high = highRound(high, word);
    }
    let rest = 0;
    for (let shift = 0; at < to; at++, shift += 8) rest |= key[at] << shift;
    low = lowRound(low, rest) ^ (to - from);
    high = highRound(high, rest) ^ (to - from);
    low = (low + high) | 0;
    high = (high + low) | 0;
    low = finish(low);
    high = finish(high);
    this.low = (low + high) | 0;
    this.high = (high + this.low) | 0;
  }
}

function lowRound(state: number, word: number): number {
  let mixed = Math.imul(word, 0x239b961b);
  mixed = (mixed << 15) | (mixed >>> 17);
  let next = state ^ Math.imul(mixed, 0xab0e9789);
  next = (next << 19) | (next >>> 13);
  return (Math.imul(next, 5) + 0x561ccd1b) | 0;
}

function highRound(state: number, word: number): number {
  let mixed = Math.imul(word, 0x38b34ae5);
  mixed = (mixed << 16) | (mixed >>> 16);
  let next = state ^ Math.imul(mixed, 0xa1e38b93);
  next = (next << 17) | (next >>> 15);
  return (Math.imul(next, 5) + 0x0bcaa747) | 0;
}

function finish(state: number): number {
  let mixed = state ^ (state >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
