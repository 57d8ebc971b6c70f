/**
 * A page of the ordered index: every offset. A page is named by the index of its first 32-bit word.
 *
 *     +0     +1      +2    +3        +16         +16+F       +16+2F    +16+3F
 *     count  prefix  next  previous  high words  low words   entries   children (inner pages only)
 *
 * Slot i is column i of each. Its words are the eight bytes of the entry's key behind the first `prefix`
 * ones, big-endian, zero where the key ends. In an inner page the entry parts child i from child i - 1.
 */

/** Slots of a page: from 32 to 96 an insertion costs the same. */
export const FANOUT = 64;

export const PAGE_COUNT = 0;
/** Bytes that the keys of all slots share, and every key that can come here. */
export const PAGE_PREFIX = 1;
export const PAGE_NEXT = 2;
export const PAGE_PREVIOUS = 3;
/** Columns begin with a cache line. */
export const PAGE_HIGH = 16;
export const PAGE_LOW = PAGE_HIGH + FANOUT;
export const PAGE_ENTRY = PAGE_LOW + FANOUT;
export const PAGE_CHILD = PAGE_ENTRY + FANOUT;

export const LEAF_WORDS = PAGE_CHILD;
export const INNER_WORDS = PAGE_CHILD + FANOUT;
