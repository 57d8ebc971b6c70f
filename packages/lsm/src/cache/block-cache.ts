/**
 * Decoded blocks under the shared memory budget, evicted by S3-FIFO (Yang et al., SOSP 2023): new
 * blocks pass through a small queue, and only those that are used again there get into the main one.
 * A scan of the whole tree therefore flushes a tenth of the cache, not all of it.
 *
 *     take ─▶ small (10 %) ── used again ─▶ main (90 %) ─▶ out, unless used since it was passed
 *               └─ not used ─▶ out, remembered by a stamp; back within a cache's worth of evictions ─▶ main
 *
 * Frames have one of a few capacities and are recycled: a read that misses reuses the memory of the
 * block that it evicts.
 *
 * Invariants
 *  1. The account counts the capacity of every frame that the cache holds, in use or free.
 *  2. A pinned frame is neither evicted nor reused; one whose table was dropped while it was pinned is
 *     given up, and collected once its pin is gone.
 *  3. A frame that `take` returned belongs to the caller until `keep` or `giveBack`.
 *
 * One thread.
 */
import { BlockSlots } from './block-slots.js';
import { Frame } from './frame.js';
import { FrameQueue } from './frame-queue.js';
import type { BudgetAccount, MemoryBudget } from './memory-budget.js';

/** The share of the small queue. */
const SMALL_SHARE = 0.1;
/** A main block survives so many passes at most, however often it was used. */
const USES_MAX = 3;
/** A block that needs more than this share of the budget is read, used and dropped. */
const CACHEABLE_SHARE = 1 / 8;
/** Capacities grow in steps of an eighth of a power of two: at most so much of a frame is unused. */
const STEPS_A_DOUBLING = 8;
const CAPACITY_MIN = 512;
/** Free frames that wait for a block of their size; more are let go. */
const FREE_SHARE = 1 / 16;

export interface BlockCacheStats {
  /** Blocks that were found in memory, and that were not. */
  hits: number;
  misses: number;
  evictions: number;
  /** Blocks in memory and what they take, free frames included. */
  blocks: number;
  bytes: number;
}

export class BlockCache {
  readonly budget: MemoryBudget;
  readonly #account: BudgetAccount;
  readonly #small = new FrameQueue();
  readonly #main = new FrameQueue();
  readonly #free = new Map<number, Frame[]>();
  #freeBytes = 0;
  #evictions = 0;
  hits = 0;
  misses = 0;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
    this.#account = budget.account('blocks');
    budget.onPressure((bytes) => this.#reclaim(bytes));
  }

  stats(): BlockCacheStats {
    return {
      hits: this.hits,
      misses: this.misses,
      evictions: this.#evictions,
      blocks: this.#small.length + this.#main.length,
      bytes: this.#account.bytes,
    };
  }

  /** The place of a table's blocks. */
  open(blocks: number): BlockSlots {
    return new BlockSlots(blocks);
  }

  /** Forgets a table's blocks. */
  drop(slots: BlockSlots): void {
    for (const frame of slots.frames) if (frame !== undefined) this.#remove(frame);
  }

  /** Counts a use of a block that was found in its slot. */
  touch(frame: Frame): void {
    this.hits++;
    if (frame.uses < USES_MAX) frame.uses++;
  }

  /** Memory for a block that takes `bytes` when decoded. */
  take(bytes: number): Frame {
    const capacity = capacityFor(bytes);
    const waiting = this.#free.get(capacity);
    const frame = waiting?.pop();
    if (frame !== undefined) {
      this.#freeBytes -= capacity;
      return frame;
    }
    if (capacity > this.budget.limitBytes * CACHEABLE_SHARE) return new Frame(capacity, false);
    while (this.budget.freeBytes < capacity) {
      const evicted = this.#evict();
      if (evicted === undefined) break;
      if (evicted.capacity === capacity) return evicted;
      this.#account.add(-evicted.capacity);
    }
    this.#account.add(capacity);
    return new Frame(capacity, true);
  }

  /** Puts a frame that was taken and filled where reads find it. */
  keep(slots: BlockSlots, ordinal: number, frame: Frame): void {
    if (!frame.counted) return;
    const present = slots.frames[ordinal];
    if (present !== undefined) this.#remove(present);
    slots.frames[ordinal] = frame;
    frame.slots = slots;
    frame.ordinal = ordinal;
    frame.uses = 0;
    const stamp = slots.ghosts[ordinal];
    const age = (this.#evictions - stamp) >>> 0;
    frame.inMain = stamp !== 0 && age <= this.#main.length + this.#small.length;
    (frame.inMain ? this.#main : this.#small).push(frame);
  }

  /** Takes a frame back that was taken and not kept. */
  giveBack(frame: Frame): void {
    if (frame.counted) this.#release(frame);
  }

  /** Empties a slot. */
  #remove(frame: Frame): void {
    (frame.inMain ? this.#main : this.#small).remove(frame);
    this.#unlink(frame);
    if (frame.pins === 0) this.#release(frame);
    else this.#account.add(-frame.capacity);
  }

  #unlink(frame: Frame): void {
    if (frame.slots !== undefined) frame.slots.frames[frame.ordinal] = undefined;
    frame.slots = undefined;
  }

  #release(frame: Frame): void {
    const { capacity } = frame;
    if (this.#freeBytes + capacity > this.budget.limitBytes * FREE_SHARE) {
      this.#account.add(-capacity);
      return;
    }
    const waiting = this.#free.get(capacity);
    if (waiting === undefined) this.#free.set(capacity, [frame]);
    else waiting.push(frame);
    this.#freeBytes += capacity;
  }

  /** Takes one frame out, by the policy; `undefined` where all are pinned. */
  #evict(): Frame | undefined {
    // Each frame is looked at often enough for its uses to run out, then all are pinned.
    let patience = (this.#small.length + this.#main.length) * (USES_MAX + 2);
    while (patience-- > 0) {
      const small =
        this.#small.bytes > SMALL_SHARE * this.#account.bytes || this.#main.length === 0;
      const frame = (small ? this.#small : this.#main).shift();
      if (frame === undefined) continue;
      if (frame.pins > 0) {
        (small ? this.#small : this.#main).push(frame);
      } else if (frame.uses > 0) {
        frame.uses = small ? 0 : frame.uses - 1;
        frame.inMain = true;
        this.#main.push(frame);
      } else {
        this.#evictions++;
        if (small && frame.slots) frame.slots.ghosts[frame.ordinal] = this.#evictions >>> 0;
        this.#unlink(frame);
        return frame;
      }
    }
    return undefined;
  }

  #reclaim(bytes: number): number {
    let reclaimed = 0;
    for (const [capacity, waiting] of this.#free) {
      while (reclaimed < bytes && waiting.pop() !== undefined) {
        this.#freeBytes -= capacity;
        this.#account.add(-capacity);
        reclaimed += capacity;
      }
    }
    while (reclaimed < bytes) {
      const evicted = this.#evict();
      if (evicted === undefined) break;
      this.#account.add(-evicted.capacity);
      reclaimed += evicted.capacity;
    }
    return reclaimed;
  }
}

/** The capacity of the frame that holds so many bytes. */
function capacityFor(bytes: number): number {
  if (bytes <= CAPACITY_MIN) return CAPACITY_MIN;
  const step = 2 ** Math.max(3, Math.ceil(Math.log2(bytes)) - 1) / STEPS_A_DOUBLING;
  return Math.ceil(bytes / step) * step;
}
