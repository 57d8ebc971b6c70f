/** Every limit of the log, each with its reason. Sizes are in bytes, times in milliseconds. */

/** A frame, header included. Bounds what a reader must hold to check one checksum (R7). */
export const FRAME_BYTES_MAX = 1024 * 1024;

/** Records share a frame up to here: small enough to stream, large enough to forget its header. */
export const FRAME_BYTES_TARGET = 64 * 1024;

/** One write is at most about this, except for a single longer unit: bounds the copy in memory. */
export const GROUP_BYTES_MAX = 1024 * 1024;

/** The first size of a group's buffer; it doubles. Small logs stay small. */
export const GROUP_BYTES_MIN = 16 * 1024;

/** Written buffers kept for the next groups: one being filled, one in flight. */
export const GROUP_BUFFERS_KEPT = 2;

export const SEGMENT_BYTES_DEFAULT = 128 * 1024 * 1024;

/** Header, one frame and the trailer have room even here; tests rotate often with it. */
export const SEGMENT_BYTES_MIN = 4096;

/** Frame offsets are stored divided by eight in 32 bits; half of that range keeps sums exact. */
export const SEGMENT_BYTES_LIMIT = 16 * 1024 * 1024 * 1024;

/** The longest Redis string and the command around it. */
export const RECORD_BYTES_DEFAULT = 513 * 1024 * 1024;

/** The stored length of a unit has 32 bits, and Node's buffers end below that. */
export const RECORD_BYTES_LIMIT = 2 * 1024 * 1024 * 1024;

/** Records in one atomic batch: the stored count has 32 bits, the index of offsets must fit memory. */
export const BATCH_RECORDS_MAX = 16 * 1024 * 1024;

export const PENDING_BYTES_DEFAULT = 64 * 1024 * 1024;

/** What one lease may keep of that is to be removed: eight segments, or an hour at 300 KB/s. */
export const LEASE_BYTES_DEFAULT = 1024 * 1024 * 1024;

/** Zeros written ahead of the end at a time: 0.3 ms of copying, once in a thousand 1 KiB records. */
export const PREALLOCATE_BYTES_DEFAULT = 1024 * 1024;

/**
 * Zeros in one write. The kernel keeps the pages of a longer one as one folio, and walks all of its
 * blocks at every small write into it: behind zeros of 1 MiB a record's write takes twice as long.
 */
export const FILL_BYTES = 128 * 1024;

/** Room made while the log rests: a quarter of a segment, or a burst of thirty batches of 1 MB. */
export const AHEAD_BYTES_MAX = 32 * 1024 * 1024;

/** Who appends when a rest ends waits for the sync of at most so many zeros: a few syncs' time. */
export const AHEAD_SYNC_BYTES = 512 * 1024;

/**
 * Who was quiet for so long, in ms, may be so for longer. Hundreds of fast syncs: whoever comes back
 * meanwhile waits for a commit of the file system's journal, since the file has new blocks.
 */
export const REST_MS = 50;

/** Zeros of a spare are written this much at a turn's end: 30 us of copying, beside 64 KiB of frames. */
export const SPARE_STEP_BYTES = 128 * 1024;

/** The emergency reserve, in steps of preallocation: a segment header and what recovery repeats. */
export const RESERVE_STEPS = 4;

/** Below a sector there is nothing to reserve. */
export const PREALLOCATE_BYTES_MIN = 512;

/** Weak policies sync in the background after this much, so that no sync is ever a long one (R15). */
export const BACKGROUND_SYNC_BYTES = 8 * 1024 * 1024;

/** But not more often than after this much. */
export const BACKGROUND_SYNC_BYTES_MIN = 256 * 1024;

/** Under `always`, a sync comes at least after this much, however fast more arrives. */
export const GROUP_SYNC_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Up to here it is quicker to write, and on a fast disk to sync, in place than to wake the thread
 * pool and to be woken: 0.2 ms of copying.
 */
export const INLINE_BYTES_MAX = 1024 * 1024;

/**
 * A disk that syncs faster than this is cheaper to wait for than to hand to the thread pool: the
 * trip costs some 0.05 ms when nothing else runs, and several syncs of a fast disk when much does.
 */
export const INLINE_SYNC_MS_DEFAULT = 1;

/** More would stop a server's timers and sockets for too long at every sync. */
export const INLINE_SYNC_MS_LIMIT = 1000;

/** Promise jobs within which a program that was told appends again: `return await` in two layers. */
export const FOLLOW_JOBS = 4;

/** Appends in a row without a trip through the event loop, and for how long. */
export const FOLLOW_RUN_MAX = 64;
export const FOLLOW_RUN_MS_MAX = 2;

/** A log without a new record for this long gets an idle mark: at most five extra syncs a second. */
export const IDLE_MARK_MS = 200;

/** A window beyond this is a unit error: one hour. */
export const WINDOW_MS_MAX = 3_600_000;

/** One trailer index entry per so many bytes: 2,048 entries in a segment of the default size. */
export const INDEX_EVERY_BYTES = 64 * 1024;

/** Entries in a trailer's index; beyond, the writer keeps every other one. */
export const INDEX_ENTRIES_MAX = 4096;

/** Epochs remembered: 16 bytes each in every segment header. The oldest ones are forgotten first. */
export const EPOCHS_MAX = 1024;

/** A segment header with all its epochs, and what a reader allocates at most for one. */
export const SEGMENT_HEADER_BYTES_MAX = 32 * 1024;

/** Epochs are stored in 32 bits. */
export const EPOCH_MAX = 0xffff_ffff;

/** A deflate stream expands to at most this many times its length: bounds a unit before it is read. */
export const INFLATES_MAX = 1032;

/** Readers ask for this much at a time, plus what one frame may need. */
export const READ_BYTES = 256 * 1024;

/** Findings that an offline check lists: more would not be read, and a wild disk has millions. */
export const FINDINGS_MAX = 1000;

/** A salvage's plan: two names a file, for more files than a directory should have. */
export const SALVAGE_PLAN_BYTES_MAX = 16 * 1024 * 1024;

/** Epochs that a salvage skips where HEAD is lost: openings that only HEAD knew of. */
export const SALVAGE_EPOCHS_SKIPPED = 1024;

/** Missing segments that are named one by one: a stray name could claim a gap of any length. */
export const GAP_NAMED_MAX = 64;

/** What a failing disk is asked for at a time: less is lost to one bad sector. */
export const DISK_SECTOR_BYTES = 4096;
