/** The limits of this package, each with its reason. */

/**
 * The most that a block takes on disk, its header included, in bytes. Readers allocate this much
 * and no more, whatever a file claims. One block is one write and one step of syncing.
 */
export const BLOCK_BYTES_MAX = 256 * 1024;

/**
 * A bulk write syncs at least this often, in bytes, so that a sync of the log, which shares the
 * disk, never waits for more than one step of it.
 */
export const SYNC_STEP_BYTES = 256 * 1024;

/** Blocks handed to the writer thread and not yet written: it writes one while one is filled. */
export const BLOCKS_IN_FLIGHT_MAX = 2;

/** The most blocks of an image: their index is 32 bits wide. 1 PiB of payload. */
export const BLOCKS_MAX = 0xffffffff;

/** What must stay free beyond the image, in bytes: the log goes on while the image is written. */
export const FREE_BYTES_RESERVE = 1024 * 1024;

/**
 * The most images kept behind `.bak`: each holds the log back to its LSN, and each is looked at when
 * the next one is written.
 */
export const KEPT_IMAGES_MAX = 1000;
