/**
 * Scanning beside a writer: a stretch of hashes is collected from one segment, and visited only if
 * nothing in the segment moved meanwhile.
 */
import {
  BUCKET,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_MASK,
  NORMAL_BUCKETS,
  SEGMENT,
  SHAPE_DEPTH_MASK,
  SLOTS_MASK,
} from '../format.js';
import { HASHES, type RecordVisitor } from '../table/scan.js';
import type { ReaderProbe } from './probe.js';

const BUCKETS_MAX = CLASS_BUCKETS[CLASS_BUCKETS.length - 1];
const SLOTS_MAX = BUCKETS_MAX * 12;

export class ReaderScan {
  readonly #probe: ReaderProbe;
  readonly #versions = new Int32Array(BUCKETS_MAX);
  readonly #hashes = new Uint32Array(SLOTS_MAX);
  readonly #records = new Uint32Array(SLOTS_MAX);
  /** How many entries of the segment were collected. */
  #collected = 0;

  constructor(probe: ReaderProbe) {
    this.#probe = probe;
  }

  /** Visits about `count` entries from `cursor` on; the next cursor, 0 at the end. Under a guard. */
  run(cursor: number, count: number, visit: RecordVisitor): number {
    let at = cursor;
    let visited = 0;
    for (let tries = 0; visited < count && at < HASHES; ) {
      const probe = this.#probe;
      if (!probe.locate(at | 0)) return 0;
      if (!this.#collect() || !probe.isCurrent(at | 0)) {
        probe.again(tries++);
        continue;
      }
      tries = 0;
      const span = this.#span();
      const begin = Math.floor(at / span) * span;
      const wanted = Math.ceil((span * (count - visited)) / Math.max(1, this.#collected));
      const end = Math.min(begin + span, at + Math.max(1, wanted));
      for (let i = 0; i < this.#collected; i++) {
        if (this.#hashes[i] < at || this.#hashes[i] >= end) continue;
        visit(this.#records[i], this.#hashes[i]);
        visited++;
      }
      at = end;
    }
    return at >= HASHES ? 0 : at;
  }

  /** Copies the slots of the located segment; `false` if one moved meanwhile. */
  #collect(): boolean {
    const { window, segment, entry } = this.#probe;
    const { i32 } = window;
    const buckets = CLASS_BUCKETS[entry & CLASS_MASK];
    for (let number = 0; number < buckets; number++) {
      const version = Atomics.load(i32, segment + number * BUCKET_WORDS + BUCKET.version);
      if ((version & 1) !== 0) return false;
      this.#versions[number] = version;
    }
    let count = 0;
    for (let number = 0; number < buckets; number++) {
      const bucket = segment + number * BUCKET_WORDS;
      let used = Atomics.load(i32, bucket + BUCKET.bits) & SLOTS_MASK;
      for (; used !== 0; used &= used - 1) {
        const word = bucket + BUCKET.slots + (31 - Math.clz32(used & -used)) * 2;
        this.#hashes[count] = Atomics.load(i32, word + 1);
        this.#records[count++] = Atomics.load(i32, word);
      }
    }
    this.#collected = count;
    for (let number = 0; number < buckets; number++) {
      const version = Atomics.load(i32, segment + number * BUCKET_WORDS + BUCKET.version);
      if (version !== this.#versions[number]) return false;
    }
    return true;
  }

  /** Hashes that belong to the located segment. */
  #span(): number {
    const { window, segment, entry } = this.#probe;
    const stash = segment + NORMAL_BUCKETS[entry & CLASS_MASK] * BUCKET_WORDS;
    return HASHES / 2 ** (window.i32[stash + SEGMENT.shape] & SHAPE_DEPTH_MASK);
  }
}
