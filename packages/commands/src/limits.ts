/** Every limit of the command layer, each with its reason. */

/** Databases per engine, numbered from 0: what Redis ships with and the engine's databases are. */
export const DATABASES = 16;

/**
 * Bytes that one MULTI may allocate for its queue. Half of the longest commit: the staged effects
 * and the queue are alive at the same time.
 */
export const QUEUE_BYTES_MAX = 256 * 1024 * 1024;

/** What the first queued request allocates, for arguments and for offsets: room for a small MULTI. */
export const QUEUE_BYTES_MIN = 512;
export const QUEUE_WORDS_MIN = 64;

/** Arguments for which the view that replays a queue keeps its offsets: above it they are let go. */
export const REPLAY_ARGUMENTS_KEPT = 1024;

/** Longest string that APPEND may make, in bytes: Redis's `proto-max-bulk-len`. */
export const STRING_BYTES_MAX = 512 * 1024 * 1024;

/** Memory for the table of one LCS, in bytes: it takes about as many milliseconds to fill as it has MiB. */
export const LCS_TABLE_BYTES_MAX = 128 * 1024 * 1024;

/** Most fields that HRANDFIELD gives with repetition: what one request could ask for by name. */
export const RANDOM_FIELDS_MAX = 1024 * 1024;

/** Up to so many fields a hash is scanned in one call whatever COUNT says, as Redis does with small ones. */
export const SMALL_HASH_FIELDS_MAX = 512;

/** The longest time that OBJECT IDLETIME tells, in seconds: what Redis's clock of 24 bits holds. */
export const IDLE_SECONDS_MAX = 2 ** 24 - 1;

/** Longest glob, in bytes: matching costs at most pattern length times key length. */
export const PATTERN_BYTES_MAX = 1024;

/** Most keys one SCAN call looks at, so that COUNT cannot hold the only thread for long. */
export const SCAN_COUNT_MAX = 100_000;

/** Keys or fields looked at per step when a command reads everything (KEYS, HGETALL). */
export const SCAN_STEP = 1024;

/** Bytes of the name, and of all arguments together, that an error text quotes. As Redis has it. */
export const ERROR_QUOTE_BYTES_MAX = 128;

/** The last time a key may end, in ms since 1970: the largest exact integer of the formats. */
export const EXPIRE_AT_MS_MAX = Number.MAX_SAFE_INTEGER;

/** The last time a field may end, in ms since 1970, as Redis has it: a quarter of 48 bits. */
export const FIELD_EXPIRE_AT_MS_MAX = Math.floor((2 ** 48 - 2) / 4);
