/**
 * Copies of parts of larger arrays, for values that are given out.
 *
 * Hot. `slice` of more than 64 bytes makes a buffer of its own for each array, which costs three times
 * what it takes to cut the array out of the platform's pool of buffers (276 ns against 90 at 100 bytes).
 * That pool refuses to be transferred, so nobody can take the memory of others away.
 */

/** `slice` keeps so few bytes within the object itself, in V8. */
const SLICE_BYTES_MAX = 64;
/** `Buffer.allocUnsafe` pools what is below half of `Buffer.poolSize`; beyond, `slice` is as good. */
const POOLED_BYTES_MAX = 2048;

/** `bytes[from, to)` as an array of its own. */
export function copyBytes(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const length = to - from;
  if (length <= SLICE_BYTES_MAX || length > POOLED_BYTES_MAX) return bytes.slice(from, to);
  const pooled = Buffer.allocUnsafe(length);
  pooled.set(bytes.subarray(from, to));
  return new Uint8Array(pooled.buffer, pooled.byteOffset, length);
}
