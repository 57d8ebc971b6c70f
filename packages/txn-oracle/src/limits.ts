/** Every limit of the oracle, with its reason. Those that users may change are defaults here. */

const MiB = 1024 * 1024;

/** Transactions open at once: more than that many are leaked by someone. */
export const OPEN_TRANSACTIONS_MAX = 65_536;

/** Points that one transaction remembers one by one: about a megabyte with keys of 20 bytes. */
export const READS_PER_TRANSACTION_MAX = 16_384;

/** Ranges that one transaction remembers: finding one's own costs a binary search, merging a walk. */
export const RANGES_PER_TRANSACTION_MAX = 256;

/** All that open transactions remember, in bytes as counted below. */
export const READ_BYTES_MAX = 64 * MiB;

/** What one transaction may write: its owner holds the same keys with their values. */
export const WRITES_PER_TRANSACTION_MAX = 1_048_576;
export const WRITE_BYTES_PER_TRANSACTION_MAX = 64 * MiB;

/**
 * Bytes kept of a key that was read, and of a range's bounds: what bounds the memory of a read
 * whatever the key. A kept key of this length stands for all keys that begin with it.
 */
export const KEPT_KEY_BYTES_MAX = 256;

/** What a point costs besides its key, in bytes: its row in each column of `PointIndex`, and its log. */
export const POINT_BYTES = 56;

/** What a range costs besides its bounds, in bytes: a node and two arrays. */
export const RANGE_BYTES = 320;

/**
 * Readers of the same key among which a transaction looks for itself before it is added again: a
 * second entry is harmless, a walk along ten thousand readers of one key is not.
 */
export const SAME_READER_LOOK_MAX = 8;

/** Rows for which the point index keeps its arrays while it is empty: above it they are let go. */
export const INDEX_ROWS_KEPT = 4096;

/** Bytes for which a transaction's key log begins: room for a small transaction. */
export const KEY_LOG_BYTES_INITIAL = 128;
export const KEY_LOG_KEYS_INITIAL = 8;

/** What a key log keeps for its next use, in bytes, and how many are kept: a quarter of a megabyte. */
export const KEY_LOG_BYTES_KEPT_MAX = 4096;
export const KEY_LOGS_KEPT_MAX = 64;
