/**
 * The three forms in which Level hands over keys and values, and the bytes that the tree keeps: `utf8` (a string),
 * `buffer` (a `Buffer`) and `view` (a `Uint8Array`). All mean the same bytes, so what is written in one form is read
 * in another.
 */

/** A key or value in one of the forms. */
export type LevelData = string | Uint8Array;

export type LevelFormat = 'utf8' | 'buffer' | 'view';

/** The bytes that `data` means; its own where it is bytes. */
export function toBytes(data: LevelData): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

/** `bytes`, which are the caller's to give away, in another form. */
export function ofBytes(bytes: Uint8Array, format: LevelFormat): LevelData {
  if (format === 'view') return bytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return format === 'buffer' ? buffer : buffer.toString();
}
