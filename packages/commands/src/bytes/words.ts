/**
 * Words of the protocol (command names, options) compared as bytes, whatever their case.
 *
 * Hot: called for each command. Only A to Z fold, as in C's `tolower` under the "C" locale.
 */

/** `text` in lower case as ASCII bytes, to compare with. */
export function word(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.toLowerCase(), 'latin1'));
}

/** The byte in lower case. */
export function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Whether `bytes[from..to]` is the lower-case word `expected`, whatever its case. */
export function isWord(bytes: Uint8Array, from: number, to: number, expected: Uint8Array): boolean {
  if (to - from !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) {
    if (lower(bytes[from + i]) !== expected[i]) return false;
  }
  return true;
}

/** FNV-1a over the bytes in lower case, an unsigned 32-bit integer. */
export function wordHash(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ lower(bytes[i]), 0x01000193);
  return hash >>> 0;
}
