/**
 * Unsigned 64-bit little-endian integers that stay below 2^53, as two 32-bit halves: no `BigInt`.
 */

/** Writes `value`, an integer from 0 to 2^53 - 1. */
export function putU64(view: DataView, at: number, value: number): void {
  // What is stored is the value modulo 2^32: a remainder of doubles would take longer than the rest.
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

/** Reads a value; a stored one above 2^53 - 1 comes back as a number that is no safe integer. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** A view of exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
