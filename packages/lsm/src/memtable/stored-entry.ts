/**
 * An entry in the arena: every offset. An entry is named by the index of its first 32-bit word; word 0 of
 * an arena is never one, so 0 stands for none.
 *
 *     n+0           n+1                       n+2        n+3          n+4
 *     sequence low  sequence high 21 bits |   key bytes  value bytes  key, value, each padded to a word | expiry u64
 *                   kind << 24 | expires 31
 *
 * An entry never moves and never changes.
 */
import type { EntryKind } from '../entry.js';

export const ENTRY_SEQUENCE_LOW = 0;
export const ENTRY_SEQUENCE_HIGH = 1;
export const ENTRY_KEY_BYTES = 2;
export const ENTRY_VALUE_BYTES = 3;
export const ENTRY_KEY = 4;
/** Words before the key. */
export const ENTRY_HEADER_WORDS = ENTRY_KEY;

export const KIND_SHIFT = 24;
export const EXPIRES_FLAG = 0x80000000;
export const EXPIRY_WORDS = 2;

const SEQUENCE_HIGH_MASK = 0x1fffff;
const KIND_MASK = 0x3;
const TWO_32 = 0x1_0000_0000;

/** Words that so many bytes take. */
export function wordsOf(bytes: number): number {
  return (bytes + 3) >>> 2;
}

export function sequenceOf(words: Uint32Array, entry: number): number {
  return (
    (words[entry + ENTRY_SEQUENCE_HIGH] & SEQUENCE_HIGH_MASK) * TWO_32 +
    words[entry + ENTRY_SEQUENCE_LOW]
  );
}

export function kindOf(words: Uint32Array, entry: number): EntryKind {
  return ((words[entry + ENTRY_SEQUENCE_HIGH] >>> KIND_SHIFT) & KIND_MASK) as EntryKind;
}

/** Where the key of an entry begins, in bytes. */
export function keyAt(entry: number): number {
  return (entry + ENTRY_KEY) << 2;
}

/** Where the value of an entry begins, in bytes. */
export function valueAt(words: Uint32Array, entry: number): number {
  return (entry + ENTRY_KEY + wordsOf(words[entry + ENTRY_KEY_BYTES])) << 2;
}

/** Milliseconds since 1970; 0 means never. */
export function expiryOf(words: Uint32Array, entry: number): number {
  if (words[entry + ENTRY_SEQUENCE_HIGH] < EXPIRES_FLAG) return 0;
  const at =
    entry +
    ENTRY_KEY +
    wordsOf(words[entry + ENTRY_KEY_BYTES]) +
    wordsOf(words[entry + ENTRY_VALUE_BYTES]);
  return words[at + 1] * TWO_32 + words[at];
}
