/**
 * From a key to the newest node that has it: point reads of a memtable in one or two cache misses,
 * where the skip list takes about twenty.
 *
 * Buckets are chains through the nodes themselves (`NODE_CHAIN`); there are as many from the start as
 * the memtable will need, so no insertion ever pays for growth. The hash is seeded, so that nobody
 * from outside can choose keys that meet in one chain.
 *
 * Invariant: a chain holds each key once, by its newest node.
 */
import { NODE_CHAIN, wordsOf } from './node.js';
import type { SkipList } from './skip-list.js';

/** Memtable bytes for each bucket: an entry of 16 + 100 bytes takes about 150. */
const BYTES_A_BUCKET = 128;
const BUCKETS_MIN = 64;
const BUCKETS_MAX = 1 << 22;

export class HashIndex {
  readonly #list: SkipList;
  readonly #buckets: Uint32Array;
  readonly #mask: number;
  readonly #seed: number;

  constructor(list: SkipList, capacityBytes: number, seed: number) {
    const wanted = Math.min(Math.max(capacityBytes / BYTES_A_BUCKET, BUCKETS_MIN), BUCKETS_MAX);
    const count = 2 ** Math.ceil(Math.log2(wanted));
    this.#list = list;
    this.#buckets = new Uint32Array(count);
    this.#mask = count - 1;
    this.#seed = seed;
  }

  get bytes(): number {
    return this.#buckets.byteLength;
  }

  /** The newest node with the probe's key; 0 where there is none. */
  find(): number {
    const list = this.#list;
    const words = list.arena.words;
    let node = this.#buckets[this.#bucket()];
    while (node !== 0 && !list.hasProbeKey(node)) node = words[node + NODE_CHAIN];
    return node;
  }

  /** Makes `node`, which has the probe's key, the newest with that key. */
  put(node: number): void {
    const list = this.#list;
    const words = list.arena.words;
    const bucket = this.#bucket();
    const first = this.#buckets[bucket];
    this.#buckets[bucket] = node;
    let before = node;
    for (let each = first; each !== 0; each = words[each + NODE_CHAIN]) {
      if (list.hasProbeKey(each)) {
        // Out of the chain with the older one: `node` stands at its head.
        if (before === node) words[node + NODE_CHAIN] = words[each + NODE_CHAIN];
        else {
          words[before + NODE_CHAIN] = words[each + NODE_CHAIN];
          words[node + NODE_CHAIN] = first;
        }
        return;
      }
      before = each;
    }
    words[node + NODE_CHAIN] = first;
  }

  #bucket(): number {
    const probe = this.#list.probe;
    const length = this.#list.probeLength;
    let hash = this.#seed ^ length;
    for (let i = 0, count = wordsOf(length); i < count; i++) {
      hash = Math.imul(hash ^ probe[i], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & this.#mask;
  }
}
