/** Every limit of the engine, with its reason. Those that users may change are defaults here. */

const MiB = 1024 * 1024;

/** The longest string: Redis's own limit, which clients are written for. */
export const VALUE_BYTES_MAX = 512 * MiB;

/** The longest commit: one value of the greatest length with its key, or a large EXEC. */
export const COMMIT_BYTES_MAX = VALUE_BYTES_MAX + MiB;

/** The most that `commitBytesMax` may be set to: an image's chunk must hold it (below). */
export const COMMIT_BYTES_LIMIT = 1024 * MiB;

/** The longest key or field: half of what one JavaScript string holds, which names may be kept as. */
export const KEY_BYTES_MAX = 256 * MiB;

/** Bytes that may wait for the disk: what a crash of the machine may keep from being answered. */
export const PENDING_BYTES_MAX = 64 * MiB;

/** Segments of the log, in bytes: what the log takes. Known here, to refuse before anything is made. */
export const SEGMENT_BYTES_MIN = 4096;
export const SEGMENT_BYTES_LIMIT = 16 * 1024 * MiB;

/** The longest time between two syncs: what the log takes, likewise. */
export const SYNC_WINDOW_MS_LIMIT = 3_600_000;

/** A snapshot is due when the log since the last one exceeds this and the image's size (R4). */
export const SNAPSHOT_LOG_BYTES_MIN = 64 * MiB;

/** Effects are gathered into chunks of about this size for an image: bounds a step's time. */
export const IMAGE_STEP_BYTES = 64 * 1024;

/** Rows that one step of an image passes over, emitted or not: bounds its time to milliseconds. */
export const IMAGE_STEP_ROWS = 10_000;

/**
 * The longest chunk of an image: a step, then what the longest commit may have put into one key,
 * and the key's name again for its time. The stored length has 32 bits.
 */
export const IMAGE_CHUNK_BYTES_MAX = COMMIT_BYTES_LIMIT + KEY_BYTES_MAX + MiB;

/** Fields that a copy of a key reads in one step: the store may have to make a list of them. */
export const COPY_STEP_FIELDS = 1_024;

/** Keys that are tried for a sample before all are looked through: expired ones are passed over. */
export const SAMPLE_TRIES_MAX = 100;

/** How often expired keys are looked for. */
export const EXPIRY_PERIOD_MS = 100;

/** Keys with a time that one look considers: bounds its time to about a millisecond. */
export const EXPIRY_STEPS_MAX = 2_000;

/** Expired keys that one commit removes: bounds its record and its time. */
export const EXPIRY_KEYS_MAX = 200;

/** The identity file is a few hundred bytes; more is not ours, and is not read. */
export const IDENTITY_BYTES_MAX = 64 * 1024;

/** Watches at once: one for each connection, and more than a process has descriptors for. */
export const WATCHES_MAX = 1_048_576;

/**
 * Bytes of names that one watch keeps to look at again (missing keys, and hashes whose fields end).
 * Beyond them it looks at nothing and takes for changed what may have changed.
 */
export const WATCH_NAME_BYTES_MAX = 1024 * 1024;

/** A block of an expiry index: moving half of its pairs takes some 100 ns. A power of two. */
export const EXPIRY_BLOCK_PAIRS_MAX = 512;
/** The first block of one: most hashes with fields that end have few of them. */
export const EXPIRY_BLOCK_PAIRS_FIRST = 8;

/** Hashes are packed into one record up to here: Redis's own limits for its compact form. */
export const PACKED_FIELDS_MAX = 128;
export const PACKED_NAME_BYTES_MAX = 64;
export const PACKED_VALUE_BYTES_MAX = 64;
/** Every write to a packed hash copies it. */
export const PACKED_BYTES_MAX = 4096;

/** Keys that one step of an image asks the tables for. */
export const IMAGE_WALK_ENTRIES = 256;

/** Records that one step looks at to gather what ends, after a region was opened: some 100 us. */
export const GATHER_STEP_RECORDS = 512;

/**
 * The region of the dash store: address space, of which memory is taken as it is touched. Not more than
 * half of the machine's memory: a system refuses to fork a process with much more than it has.
 */
export const REGION_BYTES_DEFAULT_MAX = 8 * 1024 * MiB;
export const REGION_MEMORY_PART_MAX = 1 / 2;
/** Less holds no chunk of records beside the tables. */
export const REGION_BYTES_MIN = MiB;
/** What a region can be: addresses have 32 bits of 8 bytes. */
export const REGION_BYTES_LIMIT = 32 * 1024 * MiB;

/**
 * Commits are admitted without a look at the region while they take less than this part of what was
 * never touched in it, beyond `ADMIT_SLACK_BYTES`: compaction may take several times as much.
 */
export const ADMIT_CREDIT_PART = 1 / 16;
/** Directories of tables that double, in the middle of such a run of commits. */
export const ADMIT_SLACK_BYTES = 64 * MiB;
/** The same in a small region, where they are small, too: a part of it. */
export const ADMIT_SLACK_PART = 1 / 8;
/** What an entry may take beside its bytes: its record's header, and its share of a table's growth. */
export const ADMIT_ENTRY_BYTES = 256;
/** What it takes to nest a packed hash, beside its bytes: headers of its records, a table. */
export const ADMIT_NEST_BYTES = 12 * 1024;
/** A record that is copied, or a piece of a long one: chunks of records are cut so. */
export const ADMIT_COPY_BYTES = 128 * 1024;

/** Entries that one step of reclaiming frees: some 100 us. */
export const RECLAIM_STEPS = 1_000;
/** How often it is looked whether there is something to reclaim. */
export const RECLAIM_PERIOD_MS = 100;

/** What one commit may write to the tree of the LSM store: half of what a batch of it holds. */
export const LSM_COMMIT_BYTES_MAX = 256 * MiB;

/** Places of walks that are kept for who comes back: some 100 bytes each. */
export const POSITIONS_MAX = 4096;
/** Of so few keys the one that a random number falls on is looked for exactly: some 100 us. */
export const SAMPLE_WALK_ENTRIES = 1000;
/** Of more, one of so many behind a random place: evens out that keys lie unevenly. */
export const SAMPLE_WINDOW_ENTRIES = 64;
/** How long a key of the LSM store that was loaded is not waited for again: longer than a command's other loads. */
export const LOADED_MS = 1000;
