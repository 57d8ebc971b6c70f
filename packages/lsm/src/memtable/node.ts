/**
 * A node of the skip list in the arena: every offset. Indices count 32-bit words from the start of
 * the arena; word 0 is never a node, so 0 stands for none.
 *
 *     n-h ... n-2  n-1 | n+0    n+1       n+2                       n+3    n+4    n+5
 *     next at level    | older  sequence  sequence high 21 bits |   key    value  key, zero-padded | value, padded | expiry f64
 *     h-1      1    0  | chain  low       kind << 24 | expires 31   bytes  bytes  to a word
 *
 * A key lies beside the links that lead to it: one or two cache lines a visit, and its words (in the
 * machine's order) are compared without unpacking anything.
 */
import type { EntryKind } from '../entry.js';

export const NODE_CHAIN = 0;
export const NODE_SEQUENCE_LOW = 1;
export const NODE_SEQUENCE_HIGH = 2;
export const NODE_KEY_BYTES = 3;
export const NODE_VALUE_BYTES = 4;
export const NODE_KEY = 5;
/** Header words: all before the key. */
export const NODE_HEADER_WORDS = NODE_KEY;
/** The link of level 0; those of higher levels are before it. */
export const NODE_NEXT = -1;

export const SEQUENCE_HIGH_MASK = 0x1fffff;
export const KIND_SHIFT = 24;
export const KIND_MASK = 0x3;
export const EXPIRES_FLAG = 0x80000000;
export const EXPIRY_WORDS = 2;

const TWO_32 = 0x1_0000_0000;

/** Words that so many bytes take. */
export function wordsOf(bytes: number): number {
  return (bytes + 3) >>> 2;
}

export function sequenceOf(words: Uint32Array, node: number): number {
  return (
    (words[node + NODE_SEQUENCE_HIGH] & SEQUENCE_HIGH_MASK) * TWO_32 +
    words[node + NODE_SEQUENCE_LOW]
  );
}

export function kindOf(words: Uint32Array, node: number): EntryKind {
  return ((words[node + NODE_SEQUENCE_HIGH] >>> KIND_SHIFT) & KIND_MASK) as EntryKind;
}

/** Where the value of a node begins, in bytes. */
export function valueAt(words: Uint32Array, node: number): number {
  return (node + NODE_KEY + wordsOf(words[node + NODE_KEY_BYTES])) << 2;
}

/** Milliseconds since 1970; 0 means never. */
export function expiryOf(words: Uint32Array, node: number): number {
  if (words[node + NODE_SEQUENCE_HIGH] < EXPIRES_FLAG) return 0;
  const at =
    node +
    NODE_KEY +
    wordsOf(words[node + NODE_KEY_BYTES]) +
    wordsOf(words[node + NODE_VALUE_BYTES]);
  return words[at + 1] * TWO_32 + words[at];
}
