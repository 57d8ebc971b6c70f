/** The limits of this package, each with its reason. */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Chunks of records: large enough that their ends waste little, small enough to be copied at once. */
export const CHUNK_BYTES_MAX = MiB;

/** A chunk holds records of some size even where regions are tiny, as in tests. */
export const CHUNK_BYTES_MIN = 2 * KiB;

/** A region is cut into at least so many chunks by default, so that compaction has room to move. */
export const CHUNKS_PER_REGION_MIN = 128;

/** What a default chunk is at least: below, ends and headers cost more than they bring. */
export const CHUNK_BYTES_DEFAULT_MIN = 64 * KiB;

/** Longer entries are cut into pieces: memory for a large value need not be in one piece. */
export const PIECE_BYTES_MAX = 64 * KiB;

/** A piece is at most this part of a chunk, so that the end of a chunk wastes little. */
export const PIECES_PER_CHUNK_MIN = 4;

/** Keys and values: 32-bit signed lengths, and twice what Redis allows. */
export const KEY_BYTES_MAX = 1024 * MiB;
export const VALUE_BYTES_MAX = 1024 * MiB;

/** Flags of a record: a byte of its header. */
export const FLAGS_MAX = 0xff;

/** Expiry times, like every time here, are whole milliseconds that a number holds exactly. */
export const EXPIRE_AT_MS_MAX = Number.MAX_SAFE_INTEGER;

/**
 * The depth of a directory: bits of the hash that do not choose the bucket. 2^20 segments hold 790
 * million entries, which is what 32 GiB hold of the smallest.
 */
export const DEPTH_MAX = 20;

/** Slabs of table headers: 63 tables to an allocation. */
export const SLAB_BYTES = 4 * KiB;

/** Headers that one `create` looks at for a free one before it takes a new slab. */
export const SLAB_SEARCH_MAX = 64;

/** Compaction begins when garbage passes this part of the log, and so many chunks. */
export const GARBAGE_PART_MAX = 0.2;
export const GARBAGE_CHUNKS_MIN = 2;

/** A chunk is worth copying when at least this part of it is garbage. */
export const CHUNK_GARBAGE_PART_MIN = 0.1;

/** Chunks that are looked at to find the one with the most garbage. */
export const VICTIMS_SEEN_MAX = 256;

/** A log of so many chunks keeps an empty one back: compaction of a full region begins with it. */
export const SPARE_CHUNKS_MIN = 4;

/** Units of a victim looked at for each unit written while compaction runs: keeps it ahead. */
export const COMPACT_UNITS_PER_UNIT = 8;

/** Units looked at with each write at least: short records must not starve it. */
export const COMPACT_UNITS_MIN = 64;

/** Blocks given back by one write: bounds its time to some microseconds. */
export const RECLAIM_BLOCKS_MAX = 4;

/** Looks of a reading thread at a moving bucket before it sleeps a millisecond between two. */
export const READER_SPINS_MAX = 64;

/** Looks before it gives up with `DASH_STARVED`: some five seconds. */
export const READER_TRIES_MAX = 5000;

/** Findings that one `verify` lists: the first say what is wrong. */
export const FINDINGS_MAX = 32;

/** Of a batch, so many entries may each grow a segment; of the others one in sixteen. */
export const RESERVE_ENTRIES_EACH = 4;
export const RESERVE_GROWTH_PART = 1 / 16;
