/**
 * Words of the application in the region's header: 16 of 32 bits, 16 floats of 64 bits. What they
 * mean is the application's; a database keeps its uuid, its epoch and how far its log is applied.
 *
 * Setting is one store; `persist` makes what was set so far durable where stores alone are not.
 */
import { META_F64_OFFSET, META_U32_OFFSET } from './format.js';
import { META_WORDS } from './limits.js';
import type { Medium } from './media/medium.js';
import type { RegionWindow } from './types.js';

export class RegionMeta {
  readonly #medium: Medium;
  readonly #window: RegionWindow;

  constructor(medium: Medium) {
    this.#medium = medium;
    this.#window = medium.windows[0];
  }

  /** Word `slot` (0 to 15), unsigned. */
  u32(slot: number): number {
    return this.#window.u32[META_U32_OFFSET / 4 + checked(slot)];
  }

  setU32(slot: number, value: number): void {
    this.#window.store32(META_U32_OFFSET / 4 + checked(slot), value);
  }

  /** Float `slot` (0 to 15): whole numbers below 2^53, such as log positions. */
  f64(slot: number): number {
    return this.#window.f64[META_F64_OFFSET / 8 + checked(slot)];
  }

  setF64(slot: number, value: number): void {
    this.#window.storeF64(META_F64_OFFSET / 8 + checked(slot), value);
  }

  /** Makes the words that were set durable. Throws `PMEM_IO`. */
  persist(): void {
    if (!this.#medium.flushes) return;
    this.#medium.flush(META_U32_OFFSET, META_WORDS * 12);
    this.#medium.drain();
  }

  /** Brings the words to the medium itself, also where stores survive the process anyhow. */
  writeThrough(): void {
    this.#medium.writeThrough(META_U32_OFFSET, META_WORDS * 12);
  }
}

function checked(slot: number): number {
  if (slot >= 0 && slot < META_WORDS) return slot;
  throw new RangeError(`expected a slot from 0 to ${META_WORDS - 1}, got ${slot}`);
}
