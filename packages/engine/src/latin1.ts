/**
 * Byte strings as map keys: one character a byte keeps every byte string apart and costs one native
 * call. Never shown to people.
 */

/** `bytes[from..to]` as a string of one character a byte. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1', from, to);
}
