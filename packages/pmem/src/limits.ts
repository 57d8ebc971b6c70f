/** The limits of this package, each with its reason. Sizes are in bytes. */

/** A window: V8's typed arrays end at 4 GiB, and 2^30 leaves 32-bit integers room for positions. */
export const WINDOW_BYTES_MAX = 2 ** 30;

/** Addresses are 32-bit counts of 8-byte units. */
export const REGION_BYTES_MAX = 32 * WINDOW_BYTES_MAX;

/** The header and one page of blocks: what is smaller holds nothing. */
export const REGION_BYTES_MIN = 8192;

/** Regions come in whole pages, so that mapped ones have no half page at the end. */
export const REGION_BYTES_STEP = 4096;

/** The block's own header takes a line, the region's header the first page of the first window. */
export const ALLOCATION_BYTES_MAX = WINDOW_BYTES_MAX - 4096 - 64;

/** Roots fit the header's page with the rest of it; a table needs one. */
export const ROOTS_MAX = 64;

/** Application words of each kind: two cache lines hold what R17 needs, and as much again. */
export const META_WORDS = 16;

/** Words that a transaction may change beside the allocator's own: keeps the log one page. */
export const EXTRA_WORDS_MAX = 8;

/** Words in one transaction: the longest (split, replace, extra words) takes 38. */
export const TRANSACTION_WORDS_MAX = 64;

/** Blocks of a size class looked at for the best fit: bounds the time of an allocation. */
export const FIT_TRIES_MAX = 32;

/** Reader slots: one per thread and region. Advancing looks at each slot in use. */
export const EPOCH_SLOTS_MAX = 256;

/** Retired blocks freed by one `reclaim` without an argument: about 0.1 ms. */
export const RECLAIM_BLOCKS_DEFAULT = 64;

/** A mapped or written region grows its disk space by so much at a time: few stalls, little waste. */
export const RESERVE_STEP_BYTES = 16 * 1024 * 1024;

/** Every crash image of simulated memory is a copy of all of it. */
export const SIM_BYTES_MAX = 64 * 1024 * 1024;
