/** Unsigned 64-bit little-endian integers that stay below 2^53, as two 32-bit halves: no `BigInt`. */

const TWO_32 = 0x1_0000_0000;

/** Writes `value`, an integer from 0 to 2^53 - 1. */
export function putU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

/** Reads a value; a stored one above 2^53 - 1 comes back as a number that is no safe integer. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}

/** A view of exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
