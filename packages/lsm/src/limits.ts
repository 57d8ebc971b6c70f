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
export const MEMTABLE_BYTES_MIN = 2048;
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

/** Frozen memtables that may wait for their flush before writers are held back wholly (Badger: 5). */
export const FROZEN_MEMTABLES_MAX = 5;
/** Up to here writers are free: one that is being flushed, and one that a burst has filled meanwhile. */
export const FROZEN_MEMTABLES_FREE = 2;

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

/** A background writer syncs after this much (R8): no sync is ever a long one. */
export const SYNC_STEP_BYTES = 256 * 1024;

/**
 * The same where the log's own policy is `os`: nobody waits for a sync of the log, and 64 syncs for a memtable of
 * 16 MiB took longer than everything else in its flush.
 */
export const SYNC_STEP_RELAXED_BYTES = 4 * 1024 * 1024;

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

// Memtables, tables, caches and value files.

/** Offsets into an arena are bytes in 31 bits: a memtable of the largest size and one long value fit. */
export const ARENA_BYTES_MAX = 2 ** 31 - 8;

/** A block of a table ends at the entry that fills it. Larger ones compress better and read worse. */
export const BLOCK_BYTES_DEFAULT = 4096;
export const BLOCK_BYTES_MIN = 256;
export const BLOCK_BYTES_LIMIT = 1024 * 1024;
/** What one block may hold when read: the longest value, its key, and their headers. */
export const BLOCK_PAYLOAD_BYTES_MAX = VALUE_BYTES_MAX + 2 * KEY_BYTES_MAX + 4096;

/** Entries between two that are stored whole: the price of a search within a stored block. */
export const RESTART_INTERVAL = 16;

/** An index larger than this is cut into partitions that come and go with the cache. */
export const INDEX_PARTITION_BYTES = 4 * 1024;

/** Bits of the filter for each key: one in a hundred absent keys is looked up in vain. */
export const FILTER_BITS_PER_KEY_DEFAULT = 10;
export const FILTER_BITS_PER_KEY_MAX = 32;
/** A filter has at most this many bytes: keys beyond the room raise the share of vain look-ups. */
export const FILTER_BYTES_MAX = 64 * 1024 * 1024;

/** What a bulk writer collects before it writes, in bytes. */
export const OUTPUT_BUFFER_BYTES = SYNC_STEP_BYTES;

/** What one record of a value file may hold: the longest value and its key. */
export const VALUE_RECORD_BYTES_MAX = VALUE_BYTES_MAX + KEY_BYTES_MAX + 4096;

/** Tables that are open at once: descriptors are a limited good (1024 for a process, often). */
export const OPEN_TABLES_MAX = 512;

/** What a job keeps of its inputs' blocks: it reads each once. */
export const JOB_CACHE_BYTES = 1024 * 1024;

/** The longest that pacing holds back one turn's writes: long enough for a flush to free a memtable. */
export const STOPPED_MS = 1000;

/** Numbers for files that a job reserves beyond what its input asks for. */
export const JOB_FILES_SPARE = 64;

/** Value files that are kept open: each is a descriptor. */
export const OPEN_VALUE_FILES_MAX = 64;

/** How long entries of a table may be expired before it is written anew only for that: bounds the rate of it. */
export const EXPIRY_GRACE_MS = 10 * 60 * 1000;

/** A keyring's file is read whole: that of a full ring (`KEYRING_KEYS_MAX` of `@nendb/codec`) has 288 KiB. */
export const KEYRING_BYTES_MAX = 1024 * 1024;

/** How often `transact` runs a transaction again that met a conflict. */
export const TRANSACTION_RETRIES_DEFAULT = 16;
