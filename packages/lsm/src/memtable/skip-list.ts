/**
 * A skip list over an arena (Pugh, 1990), keys ascending, sequences of one key descending.
 *
 * Hot. A search visits some 20 nodes, each a likely cache miss, so a node keeps its key beside its
 * links, and the key looked for is put once into aligned words (`setProbe`) that are compared with
 * the node's four bytes at a time. Only the first words that differ are turned to big-endian.
 *
 * Invariants
 *  1. A (key, sequence) pair is inserted once.
 *  2. Level l + 1 is a sublist of level l; a node has each level below its height.
 *  3. Nodes are never changed after they are linked, but for their links.
 *
 * Concurrency: one thread writes. Other threads read the arena once nothing writes it any more.
 */
import type { Arena } from './arena.js';
import {
  NODE_HEADER_WORDS,
  NODE_KEY,
  NODE_KEY_BYTES,
  NODE_NEXT,
  NODE_SEQUENCE_HIGH,
  NODE_SEQUENCE_LOW,
  SEQUENCE_HIGH_MASK,
  wordsOf,
} from './node.js';

/** 4^12 nodes fit before the top level grows long: more than an arena holds. */
const HEIGHT_MAX = 12;
const PROBE_WORDS_START = 64;
const TWO_32 = 0x1_0000_0000;

/** `value` with its bytes in the opposite order, unsigned: words compare as their bytes do. */
function swapped(value: number): number {
  return (
    ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
  );
}

export class SkipList {
  readonly arena: Arena;
  /** The node before all others: it has all levels and no key. */
  readonly head: number;
  #height = 1;
  #random: number;
  /** The last node before the place of the last insertion, for each level. */
  readonly #before = new Uint32Array(HEIGHT_MAX);
  #probe = new Uint32Array(PROBE_WORDS_START);
  #probeBytes = new Uint8Array(this.#probe.buffer);
  #probeLength = 0;

  /** `shared` describes a list that another thread has built: it is only read here. */
  constructor(arena: Arena, seed: number, shared?: { head: number; height: number }) {
    this.arena = arena;
    this.#random = seed | 1;
    if (shared === undefined) {
      this.head = arena.take(HEIGHT_MAX + NODE_HEADER_WORDS) + HEIGHT_MAX;
      this.#before.fill(this.head);
    } else {
      this.head = shared.head;
      this.#height = shared.height;
    }
  }

  get height(): number {
    return this.#height;
  }

  /** The words of the key that was given last, and its length in bytes. */
  get probe(): Uint32Array {
    return this.#probe;
  }
  get probeLength(): number {
    return this.#probeLength;
  }

  /** Names the key of the next calls. */
  setProbe(key: Uint8Array, from: number, to: number): void {
    const length = to - from;
    const words = wordsOf(length);
    if (words > this.#probe.length) {
      this.#probe = new Uint32Array(words * 2);
      this.#probeBytes = new Uint8Array(this.#probe.buffer);
    }
    if (words > 0) this.#probe[words - 1] = 0;
    const bytes = this.#probeBytes;
    for (let i = 0; i < length; i++) bytes[i] = key[from + i];
    this.#probeLength = length;
  }

  /** Whether a node has the probe's key. */
  hasProbeKey(node: number): boolean {
    const words = this.arena.words;
    if (words[node + NODE_KEY_BYTES] !== this.#probeLength) return false;
    const probe = this.#probe;
    for (let i = wordsOf(this.#probeLength) - 1, at = node + NODE_KEY; i >= 0; i--) {
      if (words[at + i] !== probe[i]) return false;
    }
    return true;
  }

  /** Whether a node is before (probe, sequence). */
  #isBefore(words: Uint32Array, node: number, sequence: number): boolean {
    const probe = this.#probe;
    const length = words[node + NODE_KEY_BYTES];
    const common = Math.min(length, this.#probeLength);
    const count = (common + 3) >>> 2;
    const at = node + NODE_KEY;
    for (let i = 0; i < count; i++) {
      const a = words[at + i];
      const b = probe[i];
      if (a !== b) return swapped(a) < swapped(b);
    }
    if (length !== this.#probeLength) return length < this.#probeLength;
    return (
      (words[node + NODE_SEQUENCE_HIGH] & SEQUENCE_HIGH_MASK) * TWO_32 +
        words[node + NODE_SEQUENCE_LOW] >
      sequence
    );
  }

  /** The first node at or behind (probe, sequence); 0 where there is none. */
  seek(sequence: number): number {
    const words = this.arena.words;
    let node = this.head;
    let level = this.#height - 1;
    // A node that was found to be at or behind the place is not compared again a level below.
    let behind = 0;
    for (;;) {
      const next = words[node + NODE_NEXT - level];
      if (next !== behind && this.#isBefore(words, next, sequence)) {
        node = next;
        continue;
      }
      if (level === 0) return next;
      behind = next;
      level--;
    }
  }

  /** The last node before (probe, sequence); 0 where there is none. */
  seekBefore(sequence: number): number {
    const words = this.arena.words;
    let node = this.head;
    let behind = 0;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (;;) {
        const next = words[node + NODE_NEXT - level];
        if (next === behind || !this.#isBefore(words, next, sequence)) {
          behind = next;
          break;
        }
        node = next;
      }
    }
    return node === this.head ? 0 : node;
  }

  first(): number {
    return this.arena.words[this.head + NODE_NEXT];
  }

  last(): number {
    const words = this.arena.words;
    let node = this.head;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (let next = words[node + NODE_NEXT - level]; next !== 0; ) {
        node = next;
        next = words[node + NODE_NEXT - level];
      }
    }
    return node === this.head ? 0 : node;
  }

  next(node: number): number {
    return this.arena.words[node + NODE_NEXT];
  }

  /**
   * Links a new node for (probe, sequence), with the probe's key written and room for `tailWords`
   * behind it; returns it. Its header beside the key's length is the caller's to fill.
   */
  insert(sequence: number, tailWords: number): number {
    this.#findBefore(sequence);
    const height = this.#drawHeight();
    const keyWords = wordsOf(this.#probeLength);
    const node = this.arena.take(height + NODE_HEADER_WORDS + keyWords + tailWords) + height;
    const words = this.arena.words;
    words[node + NODE_KEY_BYTES] = this.#probeLength;
    for (let i = 0; i < keyWords; i++) words[node + NODE_KEY + i] = this.#probe[i];
    if (height > this.#height) this.#height = height;
    const before = this.#before;
    for (let level = 0; level < height; level++) {
      const link = before[level] + NODE_NEXT - level;
      words[node + NODE_NEXT - level] = words[link];
      words[link] = node;
      before[level] = node;
    }
    return node;
  }

  /** Sets `#before` to the last node of each level before (probe, sequence). */
  #findBefore(sequence: number): void {
    const words = this.arena.words;
    const before = this.#before;
    // Right behind the last insertion (keys that ascend): all levels stand where they should.
    const last = before[0];
    if (last === this.head || this.#isBefore(words, last, sequence)) {
      const next = words[last + NODE_NEXT];
      if (next === 0 || !this.#isBefore(words, next, sequence)) return;
    }
    let node = this.head;
    let behind = 0;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (;;) {
        const next = words[node + NODE_NEXT - level];
        if (next === behind || !this.#isBefore(words, next, sequence)) {
          behind = next;
          break;
        }
        node = next;
      }
      before[level] = node;
    }
    for (let level = this.#height; level < HEIGHT_MAX; level++) before[level] = this.head;
  }

  /** 1, and one more with each draw of one in four (xorshift32, Marsaglia 2003). */
  #drawHeight(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    let height = 1;
    for (let bits = x >>> 2; (bits & 3) === 0 && height < HEIGHT_MAX; bits >>>= 2) height++;
    return height;
  }
}
