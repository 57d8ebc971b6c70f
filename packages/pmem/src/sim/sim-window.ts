/**
 * The simulator's window: the same stores as {@link MemoryWindow}, and word of each to the trace.
 */
import type { RegionWindow } from '../types.js';

/** Told of the bytes `[at, at + bytes)` after they were stored. */
export interface StoreTrace {
  /** One aligned store of 4 or 8 bytes. */
  stored(at: number, bytes: 4 | 8): void;
  /** A copy or a fill: stores of at most 8 aligned bytes each, in an order of the machine's own. */
  storedMany(from: number, to: number): void;
}

export class SimWindow implements RegionWindow {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly bytes: number;
  readonly #trace: StoreTrace;

  constructor(memory: ArrayBuffer, trace: StoreTrace) {
    this.u8 = new Uint8Array(memory);
    this.i32 = new Int32Array(memory);
    this.u32 = new Uint32Array(memory);
    this.f64 = new Float64Array(memory);
    this.bytes = memory.byteLength;
    this.#trace = trace;
  }

  store32(index: number, value: number): void {
    this.#check(index * 4, index * 4 + 4);
    this.i32[index] = value;
    this.#trace.stored(index * 4, 4);
  }

  commit32(index: number, value: number): void {
    this.store32(index, value);
  }

  storeF64(index: number, value: number): void {
    this.#check(index * 8, index * 8 + 8);
    this.f64[index] = value;
    this.#trace.stored(index * 8, 8);
  }

  copyIn(at: number, source: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.#check(at, at + to - from);
    this.u8.set(source.subarray(from, to), at);
    this.#trace.storedMany(at, at + to - from);
  }

  copyWithin(target: RegionWindow, at: number, from: number, to: number): void {
    this.#check(from, to);
    target.copyIn(at, target === this ? this.u8.slice() : this.u8, from, to);
  }

  zero(from: number, to: number): void {
    if (from === to) return;
    this.#check(from, to);
    this.u8.fill(0, from, to);
    this.#trace.storedMany(from, to);
  }

  /** Real typed arrays ignore what is beyond their end; here it is a bug that is found. */
  #check(from: number, to: number): void {
    if (Number.isInteger(from) && from >= 0 && from <= to && to <= this.bytes) return;
    throw new RangeError(`expected bytes inside 0 to ${this.bytes}, got ${from} to ${to}`);
  }
}
