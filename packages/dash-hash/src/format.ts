/**
 * The bytes of hash tables in a region, version 1 (docs/formats/dash.md draws them). Little-endian;
 * everything is 32-bit words. A unit is 8 bytes: addresses are units from the region's start.
 *
 *     region root 0 ─▶ space ─┬─▶ slabs of table headers ─▶ directory ─▶ segments ─▶ buckets ─┐
 *                             └─▶ chunks of records ◀─────────────────────────────────────────┘
 *
 * Invariants
 *  1. A bucket's `bits` word is what makes its slots exist: one atomic store adds or removes one.
 *  2. A slot's address word is what makes a record the current one: one atomic store replaces it.
 *  3. A directory entry is a segment's address and its class in one word; a table's directory word
 *     is the address of a block that says its own depth.
 *  4. A record is not changed after a slot names it, but for the dead mark, which only the log reads.
 */

// --- buckets: 128 bytes ---------------------------------------------------------------------------

export const BUCKET_BYTES = 128;
export const BUCKET_WORDS = 32;
export const BUCKET_SLOTS = 12;
export const SLOTS_MASK = 0xfff;

/** Words of a bucket's header. */
export const BUCKET = {
  /** Odd while entries move between buckets; grows by two with every move. */
  version: 0,
  /** The generation of the image that last passed the bucket, or that it was born in. */
  generation: 1,
  /** Bits 0-11: the slot holds an entry. Bits 12-23: the entry's home is the bucket before. */
  bits: 2,
  /** One byte a slot. */
  prints: 3,
  /** Of a normal bucket: one byte for each of up to four of its entries that are in the stash. */
  stashPrints: 6,
  /** Of a normal bucket: see `STASH`. */
  stash: 7,
  /** Slot i: the record's address at `slots + 2i`, the hash behind it. */
  slots: 8,
} as const;

export const GUEST_SHIFT = 12;

/**
 * The stash word of a normal bucket. Bits 0-3: that print is used. Bits 8-15: the stash bucket of
 * each print, two bits each. Bits 16-31: entries of this bucket in the stash without a print.
 */
export const STASH = { usedMask: 0xf, bucketShift: 8, uncountedShift: 16, prints: 4 } as const;

// --- segments: normal buckets, then stash buckets ------------------------------------------------

/** In the first stash bucket, where normal buckets have prints: bits 0-4 depth, bits 5-7 class. */
export const SEGMENT = { shape: BUCKET.stashPrints, recovered: BUCKET.stash } as const;
export const SHAPE_DEPTH_MASK = 31;
export const SHAPE_CLASS_SHIFT = 5;

/**
 * The classes of segments, by number of buckets. A segment that is full goes to the next class; one
 * of the last class splits into two of `SPLIT_CLASS`. Steps of 1.42 keep the average load at 0.82
 * where doubling gives 0.70 (steps of 1.25: 0.85, for half as many moves again); the small ones are
 * for tables with few entries.
 */
export const CLASS_BUCKETS = [4, 8, 12, 16, 24, 32, 45, 64] as const;
export const CLASS_STASH = [1, 1, 1, 1, 2, 3, 4, 4] as const;
export const CLASS_LAST = 7;
export const SPLIT_CLASS = 5;
export const CLASS_MASK = 7;

/** Normal buckets of each class, for the hot path. */
export const NORMAL_BUCKETS = Int32Array.from(CLASS_BUCKETS, (n, i) => n - CLASS_STASH[i]);
export const STASH_BUCKETS = Int32Array.from(CLASS_STASH);

/** A bucket's number comes from the low bits of the hash, the directory's from the high ones. */
export const HOME_BITS = 12;
export const HOME_MASK = 0xfff;

// --- directories ----------------------------------------------------------------------------------

/** Words of a directory: its depth, then 2^depth entries. */
export const DIRECTORY = { depth: 0, entries: 1 } as const;
/** An entry: the segment's address, whose low bits are zero, and its class in them. */
export const ENTRY_ADDRESS_MASK = ~CLASS_MASK;

// --- table headers: 64 bytes ----------------------------------------------------------------------

export const TABLE_BYTES = 64;
export const TABLE_WORDS = 16;
export const TABLE_UNITS = 8;

export const TABLE = {
  /** 0: free. */
  state: 0,
  /** Address of the directory: a block of its own, or the one in this header. */
  directory: 1,
  seed0: 2,
  seed1: 3,
  /** Entries. Exact but for tables that a crash left and that are not recovered yet. */
  count: 4,
  /** The owner's own word: what the table is for. */
  tag: 5,
  /** The crash after which every segment was looked at. */
  recovered: 6,
  /** Units of the records of the table that are current. */
  liveUnits: 7,
  /** The image generation in which the table was dropped. */
  dropGeneration: 8,
  /** The next table that is being freed. */
  nextDropped: 9,
  /** Units of segments and directories. */
  tableUnits: 10,
  /** The directory of a dropped table, whose directory word is 0. */
  dropping: 11,
  /** A directory of depth 0: what small tables need. */
  ownDirectory: 12,
  /** The crash after which the counts were begun anew. */
  counting: 14,
  /** Of a table that took over another one's contents to free them: that one. */
  origin: 15,
} as const;

export const TABLE_FREE = 0;
export const TABLE_LIVE = 0x4c42_4154;
export const TABLE_DROPPED = 0x504f_5244;

// --- slabs of table headers -----------------------------------------------------------------------

/** The directory in a table's header, as an address. */
export const OWN_DIRECTORY_UNITS = TABLE.ownDirectory / 2;

/** Words of a slab's first 64 bytes; headers follow. */
export const SLAB = { next: 0, tables: 1 } as const;
export const SLAB_HEADER_BYTES = 64;

// --- the log of records ---------------------------------------------------------------------------

/** Words of a chunk's first 64 bytes; records follow. */
export const CHUNK = {
  /** Neighbours in the list of chunks. */
  next: 0,
  previous: 1,
  units: 2,
  /** Units of records, from the first; 0 while the chunk is being filled. */
  filledUnits: 3,
  /** Units of records that no slot names any more; a hint after a crash. */
  deadUnits: 4,
} as const;
export const CHUNK_HEADER_BYTES = 64;
export const CHUNK_HEADER_UNITS = 8;

/** Words of a record. Key and value follow; of expiring ones the time in milliseconds first. */
export const RECORD = {
  /** See `HEAD`. Stored last: 0 is the end of what a chunk holds. */
  head: 0,
  valueBytes: 1,
  /** Address of the table's header. */
  table: 2,
  expireLow: 3,
  expireHigh: 4,
} as const;
export const RECORD_HEADER_BYTES = 12;
export const RECORD_EXPIRING_BYTES = 20;

/** Bits of a record's head word. */
export const HEAD = {
  keyMask: 0xffff,
  flagsShift: 16,
  flagsMask: 0xff,
  expires: 1 << 24,
  /** The body is the length of the key, then addresses of pieces: see `log/pieces.ts`. */
  chained: 1 << 25,
  /** A piece: hash of the key, number of the piece, then bytes of key and value. */
  piece: 1 << 26,
  dead: 1 << 29,
  present: 1 << 30,
} as const;
/** Body of a piece before its bytes: the hash and the number. */
export const PIECE_HEADER_BYTES = 8;

// --- the space: the root of all tables of a region ------------------------------------------------

export const SPACE_ROOT = 0;
export const SPACE_MAGIC = 0x4853_4144;
export const SPACE_VERSION = 1;
export const SPACE_BYTES = 512;
export const SPACE_ROOTS_MAX = 64;
/** Features that this version knows; none are defined. */
export const SPACE_KNOWN_READ_ONLY_COMPAT = 0;
export const SPACE_KNOWN_INCOMPAT = 0;

/** Words of the space. */
export const SPACE = {
  magic: 0,
  version: 1,
  compat: 2,
  readOnlyCompat: 3,
  incompat: 4,
  chunkUnits: 5,
  /** Grows with every open that follows a crash. */
  crashes: 6,
  /** 1: everything was written back and nothing has changed since. */
  clean: 7,
  generation: 8,
  firstSlab: 9,
  firstChunk: 10,
  /** The chunk that is being filled. */
  openChunk: 11,
  /** The first table that is being freed. */
  firstDropped: 12,
  /** A change of several words that is under way: see `space/intent.ts`. */
  intent: 16,
  /** Addresses of tables, by root slot. */
  roots: 32,
} as const;

export const INTENT_REPLACE = 1;

/** Words of the intent, from `SPACE.intent`. */
export const INTENT = {
  /** 0: none; `first` and `second`, if any, are new blocks that nothing else names. */
  kind: 0,
  first: 1,
  second: 2,
  /** The first word that changes: so many words behind this address. */
  unit: 3,
  word: 4,
  /** Words that change: the first half become `firstValue`, the others `secondValue`. */
  count: 5,
  firstValue: 6,
  secondValue: 7,
  /** The block that loses its owner, or 0. */
  old: 8,
} as const;
