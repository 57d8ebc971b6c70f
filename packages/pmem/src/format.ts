/**
 * The bytes of a region, version 1 (docs/formats/pmem.md draws them). Little-endian.
 *
 *     line 0     preamble: magic, version, features, uuid, size, crc; written once
 *     line 1     life: clean or in use, and on which boot of the machine
 *     line 2     application words, 32 bits
 *     line 3-4   application words, 64-bit floats
 *     line 5     counters and the list of blocks that belong to nobody
 *     line 6-9   roots
 *     line 10-13 windows: how far blocks reach, how long the last one is
 *     line 14-21 heads of the free lists, one a size class
 *     line 22    transaction log: state, sequence, crc
 *     line 23-34 transaction log: 64 entries of line, word, value
 *     line 35-63 zero
 *     line 64    the first block
 *
 * A block is a header line and whole lines behind it. Blocks follow each other without gaps from the
 * start of a window (line 64 of the first) to where its blocks end; none straddles two windows.
 *
 * Invariants
 *  1. Every word here but the preamble, the life line and the application's is changed by
 *     transactions alone.
 *  2. Two free blocks are never neighbours, and the last block of a window is never free.
 */
import { ROOTS_MAX, TRANSACTION_WORDS_MAX } from './limits.js';

export const MAGIC = 'NENDPMEM';
export const VERSION = 1;
/** Features that this version knows; none are defined. */
export const KNOWN_READ_ONLY_COMPAT = 0;
export const KNOWN_INCOMPAT = 0;

/** Byte offsets in the preamble. */
export const PREAMBLE = {
  magic: 0,
  version: 8,
  compat: 12,
  readOnlyCompat: 16,
  incompat: 20,
  uuid: 24,
  bytesMax: 40,
  /** CRC-32 of bytes 0 to 59. */
  crc: 60,
  bytes: 64,
} as const;

/** Byte offsets in the life line, from the start of the region. */
export const LIFE = {
  state: 64,
  /** The boot's name, at most 40 bytes, zero-padded. */
  boot: 72,
  bootBytes: 40,
  /** CRC-32 of the boot's name. */
  bootCrc: 112,
} as const;

export const LIFE_CLEAN = 0x4e45_4c43;
export const LIFE_IN_USE = 0x4445_5355;

export const META_U32_OFFSET = 128;
export const META_F64_OFFSET = 192;

export const COUNTERS_LINE = 5;
/** Words of the counters' line. Counts of lines include the headers of the blocks. */
export const COUNTER = { takenLines: 0, freeLines: 1, blocks: 2, pendingHead: 3 } as const;

export const ROOTS_LINE = 6;
export const ROOTS_OFFSET = ROOTS_LINE * 64;

/** Two words a window. */
export const WINDOWS_LINE = 10;
export const WINDOW_WORD = { usedLines: 0, lastLines: 1 } as const;

export const CLASSES_LINE = 14;

export const LOG_LINE = 22;
/** Words of the log's first line. State is the number of entries, 0 where there is nothing to do. */
export const LOG = { state: 0, sequence: 1, crc: 2 } as const;
export const LOG_ENTRIES_LINE = 23;
/** Words of an entry: the line, the word in it, the value. */
export const LOG_ENTRY_WORDS = 3;

export const HEADER_LINES = 64;
export const HEADER_BYTES = HEADER_LINES * 64;

/** Words of a block's header line. Lines are counted from the start of the region. */
export const BLOCK = {
  state: 0,
  /** Length, header included. */
  lines: 1,
  /** Length of the block before it in the window; 0 for the first. */
  previousLines: 2,
  /** Bytes asked for; 0 in free blocks. */
  bytes: 3,
  /** Neighbours in the list that the block is in (free and pending blocks); 0 for none. */
  next: 4,
  previous: 5,
} as const;

export const BLOCK_FREE = 0x4545_5246;
/** Handed out and named by a word of the region. */
export const BLOCK_OWNED = 0x444e_574f;
/** Handed out, named by nothing that survives: free again at the next open. */
export const BLOCK_PENDING = 0x444e_4550;

/** A header and a line. */
export const BLOCK_LINES_MIN = 2;

if (ROOTS_LINE * 16 + ROOTS_MAX > WINDOWS_LINE * 16) throw new RangeError('roots overflow');
if (LOG_ENTRIES_LINE * 16 + TRANSACTION_WORDS_MAX * LOG_ENTRY_WORDS > HEADER_LINES * 16) {
  throw new RangeError('the transaction log overflows its page');
}
