/**
 * A blocked bloom filter (Putze, Sanders, Singler, 2007): all bits of a key are in one 64-byte line, so
 * a look-up is one cache miss. At ten bits a key some 1.2 % of absent keys pass.
 *
 *     payload   bits per key u32 | lines, 16 words each
 *
 * Hot. A key's hash is two 32-bit numbers: one chooses the line, the other is split into `probes` pairs
 * of word and bit.
 */
import { FILTER_BYTES_MAX } from '../limits.js';

const LINE_WORDS = 16;
const LINE_BYTES = LINE_WORDS * 4;
const HEADER_BYTES = 4;
const PROBES_MAX = 8;

/** The second half of the last hash: a second result without an object. */
let hashLow = 0;

/**
 * Hashes `key[from, to)`: returns a u32; `lastHashLow` gives the other. A multiply and rotate a word
 * (as in MurmurHash3), finished twice.
 */
export function hashKey(key: Uint8Array, from: number, to: number): number {
  let hash = (to - from) ^ 0x2f0b4c47;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const four = key[at] | (key[at + 1] << 8) | (key[at + 2] << 16) | (key[at + 3] << 24);
    hash = Math.imul(hash ^ Math.imul(four, 0xcc9e2d51), 0x1b873593);
    hash ^= hash >>> 16;
  }
  let rest = 0;
  for (let shift = 0; at < to; at++, shift += 8) rest |= key[at] << shift;
  hash = Math.imul(hash ^ Math.imul(rest, 0xcc9e2d51), 0x1b873593);
  hash ^= hash >>> 15;
  const high = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const low = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hashLow = (low ^ (low >>> 16)) >>> 0;
  return (high ^ (high >>> 13)) >>> 0;
}

/** The other half of what `hashKey` computed last. */
export function lastHashLow(): number {
  return hashLow;
}

/** Bits that a key sets: near bits per key times ln 2, as far as one line bears them. */
function probesFor(bitsPerKey: number): number {
  return Math.max(1, Math.min(PROBES_MAX, Math.round(bitsPerKey * 0.6)));
}

/** The line of a hash among `lines`, without a division. */
function lineOf(high: number, lines: number): number {
  return Math.floor((high * lines) / 0x1_0000_0000);
}

/** Collects keys, then makes the payload of a filter block. */
export class BloomFilterBuilder {
  readonly #bitsPerKey: number;
  #hashes = new Uint32Array(2048);
  #count = 0;

  /** `bitsPerKey` from 1. */
  constructor(bitsPerKey: number) {
    this.#bitsPerKey = bitsPerKey;
  }

  add(key: Uint8Array, from: number, to: number): void {
    const at = this.#count * 2;
    if (at === this.#hashes.length) {
      const hashes = new Uint32Array(at * 2);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
    }
    this.#hashes[at] = hashKey(key, from, to);
    this.#hashes[at + 1] = hashLow;
    this.#count++;
  }

  finish(): Uint8Array {
    const wanted = Math.ceil((this.#count * this.#bitsPerKey) / (LINE_BYTES * 8));
    const lines = Math.max(1, Math.min(wanted, FILTER_BYTES_MAX / LINE_BYTES));
    const payload = new Uint8Array(HEADER_BYTES + lines * LINE_BYTES);
    const words = new Uint32Array(payload.buffer);
    words[0] = this.#bitsPerKey;
    const probes = probesFor(this.#bitsPerKey);
    for (let i = 0; i < this.#count; i++) {
      const line = 1 + lineOf(this.#hashes[i * 2], lines) * LINE_WORDS;
      let low = this.#hashes[i * 2 + 1];
      for (let probe = 0; probe < probes; probe++) {
        words[line + (low >>> 28)] |= 1 << ((low >>> 23) & 31);
        low = Math.imul(low, 0x9e3779b1);
      }
    }
    return payload;
  }
}

export class BloomFilter {
  readonly #words: Uint32Array;
  readonly #lines: number;
  readonly #probes: number;

  private constructor(words: Uint32Array) {
    this.#words = words;
    this.#lines = (words.length - 1) / LINE_WORDS;
    this.#probes = probesFor(words[0]);
  }

  /** The filter of a payload; `undefined` where it is none. */
  static read(payload: Uint8Array): BloomFilter | undefined {
    const lines = (payload.length - HEADER_BYTES) / LINE_BYTES;
    if (!Number.isInteger(lines) || lines < 1) return undefined;
    const words = new Uint32Array(payload.length / 4);
    new Uint8Array(words.buffer).set(payload);
    return new BloomFilter(words);
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** False where no key that was added equals `key[from, to)`; true elsewhere, mostly. */
  mayContain(key: Uint8Array, from: number, to: number): boolean {
    return this.mayContainHash(hashKey(key, from, to), hashLow);
  }

  /** The same for a hash that is at hand: one key is looked up in several tables. */
  mayContainHash(high: number, low: number): boolean {
    const words = this.#words;
    const line = 1 + lineOf(high, this.#lines) * LINE_WORDS;
    let rest = low;
    for (let probe = this.#probes; probe > 0; probe--) {
      if ((words[line + (rest >>> 28)] & (1 << ((rest >>> 23) & 31))) === 0) return false;
      rest = Math.imul(rest, 0x9e3779b1);
    }
    return true;
  }
}
