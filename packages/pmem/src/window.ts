/**
 * A window over real memory: one class for every backend but the simulator, so that call sites see
 * one shape and each method is one store, inlined. Hot: no checks here. Typed arrays ignore stores
 * beyond their end.
 *
 * Concurrency: one thread stores; threads that read in between use `Atomics` on what is published.
 */
import type { RegionWindow } from './types.js';

const SHORT_COPY_BYTES_MAX = 16;
const PART_COPY_BYTES_MAX = 80;

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
    const bytes = to - from;
    // Calling `set` costs as much as 16 bytes of the loop, and making a view of a part as much as 80.
    if (bytes <= SHORT_COPY_BYTES_MAX) this.#copyShort(at, source, from, to);
    else if (from === 0 && to === source.length) this.u8.set(source, at);
    else if (bytes <= PART_COPY_BYTES_MAX) this.#copyShort(at, source, from, to);
    else this.u8.set(source.subarray(from, to), at);
  }

  copyWithin(target: RegionWindow, at: number, from: number, to: number): void {
    if (target === this) this.u8.copyWithin(at, from, to);
    else target.copyIn(at, this.u8, from, to);
  }

  zero(from: number, to: number): void {
    // On shared memory a fill of bytes goes byte by byte; one of words does not.
    const firstWord = Math.min((from + 3) & ~3, to);
    const lastWord = Math.max(to & ~3, firstWord);
    if (from < firstWord) this.u8.fill(0, from, firstWord);
    if (firstWord < lastWord) this.i32.fill(0, firstWord >>> 2, lastWord >>> 2);
    if (lastWord < to) this.u8.fill(0, lastWord, to);
  }

  #copyShort(at: number, source: Uint8Array, from: number, to: number): void {
    const { u8, i32 } = this;
    let i = from;
    let j = at;
    if ((at & 3) === 0) {
      for (; i + 3 < to; i += 4, j += 4) {
        i32[j >>> 2] =
          source[i] | (source[i + 1] << 8) | (source[i + 2] << 16) | (source[i + 3] << 24);
      }
    }
    for (; i < to; i++, j++) u8[j] = source[i];
  }
}
