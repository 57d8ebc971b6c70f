/** The limits of the tree, each with its reason. Sizes are in bytes, times in milliseconds. */

/** L0 to L6, as everywhere: with a factor of ten, L6 holds a million times what L1 does. */
export const LEVELS_MAX = 7;

/** The longest key: three of them and their headers have room in a block that a cache can hold. */
export const KEY_BYTES_MAX = 65_535;

/** The longest value: that of the longest Redis string. */
export const VALUE_BYTES_MAX = 512 * 1024 * 1024;

/** What one commit may hold, all its keys and values together: it goes into the log as one record. */
export const BATCH_BYTES_MAX = 512 * 1024 * 1024;

/** Entries of one batch: an index of them must fit memory. */
export const BATCH_OPS_MAX = 16 * 1024 * 1024;

/** A manifest is read whole; 10 million tables would not fill this. */
export const MANIFEST_BYTES_MAX = 1024 * 1024 * 1024;

/** A manifest that has grown by this much beyond its first edit is written anew. */
export const MANIFEST_GROWTH_BYTES_MAX = 4 * 1024 * 1024;

export const MEMTABLE_BYTES_DEFAULT = 64 * 1024 * 1024;
/** Smaller memtables make tables of a block or two; tests flush often with it. */
export const MEMTABLE_BYTES_MIN = 1024;
/** Offsets into an arena have 32 bits. */
export const MEMTABLE_BYTES_LIMIT = 1024 * 1024 * 1024;

/** One budget for blocks, filters, indexes and memtables that wait. */
export const CACHE_BYTES_DEFAULT = 64 * 1024 * 1024;
export const CACHE_BYTES_MIN = 4096;

/** Tables of a run end at about this size: small enough to compact a part of a level. */
export const TABLE_BYTES_DEFAULT = 32 * 1024 * 1024;
export const TABLE_BYTES_MIN = 1024;

/** Value files end at about this size: garbage is given back in pieces of it. */
export const VALUE_FILE_BYTES_DEFAULT = 128 * 1024 * 1024;

/** Frozen memtables that may wait for their flush before writers are held back wholly. */
export const FROZEN_MEMTABLES_MAX = 4;

/** Sorted runs in level 0 at which a compaction of it is due (LevelDB, Pebble: 4). */
export const LEVEL0_RUNS_COMPACT = 4;
/** From here on writers are slowed down, in proportion (RocksDB: 20). */
export const LEVEL0_RUNS_SLOW = 12;
/** Here they wait (RocksDB: 36). */
export const LEVEL0_RUNS_STOP = 36;

/** Each level holds so many times what the one above it does. */
export const LEVEL_FACTOR = 10;

/** The smallest target of a level: below, levels would only add work. */
export const LEVEL_BASE_BYTES_DEFAULT = 64 * 1024 * 1024;

/** One compaction takes at most this much, so that others get their turn and space is given back. */
export const COMPACTION_BYTES_MAX = 1024 * 1024 * 1024;

/** A background writer syncs after this much (R8): no sync is ever a long one. */
export const SYNC_STEP_BYTES = 256 * 1024;

/** A job goes on for about this much, then lets others have the thread, in bytes written. */
export const JOB_STEP_BYTES = 2 * 1024 * 1024;

/** What a rate limiter lets pass at once after a quiet time, in ms of its rate. */
export const RATE_BURST_MS = 100;

/** The slowest that writers are made to be by pacing, in bytes per second: the disk of a telephone. */
export const PACED_BYTES_PER_SEC_MIN = 1024 * 1024;
/** The fastest: beyond it pacing is not felt. */
export const PACED_BYTES_PER_SEC_MAX = 256 * 1024 * 1024;

/**
 * The most of the value log that may be garbage that is known, as a share of it, before a compaction
 * rewrites the worst file: space stays below `live / (1 - share)` plus what the upper levels shadow.
 */
export const VALUE_GARBAGE_SHARE_MAX = 0.25;

/** How often a failed background job is tried again, at first and at most, in ms. */
export const RETRY_MS_MIN = 100;
export const RETRY_MS_MAX = 30_000;
