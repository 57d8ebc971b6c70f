/**
 * A window over real memory: one class for every backend but the simulator, so that call sites see
 * one shape and each method is one store, inlined. Hot: no checks here. Typed arrays ignore stores
 * beyond their end.
 *
 * Concurrency: one thread stores; threads that read in between use `Atomics` on what is published.
 */
import type { RegionWindow } from './types.js';

export class MemoryWindow implements RegionWindow {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly bytes: number;

  /** A view of `bytes` bytes of `buffer` from `byteOffset`. */
  constructor(buffer: ArrayBufferLike, byteOffset: number, bytes: number) {
    this.u8 = new Uint8Array(buffer, byteOffset, bytes);
    this.i32 = new Int32Array(buffer, byteOffset, bytes >>> 2);
    this.u32 = new Uint32Array(buffer, byteOffset, bytes >>> 2);
    this.f64 = new Float64Array(buffer, byteOffset, bytes >>> 3);
    this.bytes = bytes;
  }

  store32(index: number, value: number): void {
    this.i32[index] = value;
  }

  commit32(index: number, value: number): void {
    Atomics.store(this.i32, index, value);
  }

  storeF64(index: number, value: number): void {
    this.f64[index] = value;
  }

  copyIn(at: number, source: Uint8Array, from: number, to: number): void {
    const { u8 } = this;
    // A call of `set` and its view cost more than a short loop.
    if (to - from <= SHORT_COPY_BYTES_MAX) {
      for (let i = from, j = at; i < to; i++, j++) u8[j] = source[i];
    } else if (from === 0 && to === source.length) {
      u8.set(source, at);
    } else {
      u8.set(source.subarray(from, to), at);
    }
  }

  copyWithin(target: RegionWindow, at: number, from: number, to: number): void {
    if (target === this) this.u8.copyWithin(at, from, to);
    else target.copyIn(at, this.u8, from, to);
  }

  zero(from: number, to: number): void {
    this.u8.fill(0, from, to);
  }
}

const SHORT_COPY_BYTES_MAX = 48;
