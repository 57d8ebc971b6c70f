/**
 * The order of keys: by bytes, unsigned; a key before every longer key that it begins.
 *
 * Hot. Keys are short, so bytes are compared in plain loops and as big-endian words: a call of
 * `Buffer.compare` costs more than comparing 16 bytes (66 ns against 12). Where a key ends inside a
 * word, the rest of the word is zero; equal words therefore say nothing about keys of different
 * lengths, and lengths decide last.
 */

/** Below, at or above zero, as `a` is before, equal to or behind `b`. Offsets in bytes. */
export function compareBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): number {
  const aLength = aTo - aFrom;
  const bLength = bTo - bFrom;
  const common = Math.min(aLength, bLength);
  for (let i = 0; i < common; i++) {
    const difference = a[aFrom + i] - b[bFrom + i];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** {@link compareBytes} of whole arrays. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length);
}

/** Whether two ranges hold the same bytes. */
export function sameBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): boolean {
  if (aTo - aFrom !== bTo - bFrom) return false;
  // Backwards: keys that are near each other differ at their ends.
  for (let i = aTo - 1, j = bTo - 1; i >= aFrom; i--, j--) if (a[i] !== b[j]) return false;
  return true;
}

/** The four bytes from `from` as a big-endian u32; those from `to` on count as zero. */
export function word(bytes: Uint8Array, from: number, to: number): number {
  if (from + 4 <= to) {
    return (
      ((bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3]) >>>
      0
    );
  }
  let value = 0;
  for (let i = from; i < from + 4; i++) value = (value << 8) | (i < to ? bytes[i] : 0);
  return value >>> 0;
}

/** How many bytes two ranges share from their starts. */
export function commonPrefix(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): number {
  const limit = Math.min(aTo - aFrom, bTo - bFrom);
  let length = 0;
  while (length < limit && a[aFrom + length] === b[bFrom + length]) length++;
  return length;
}
