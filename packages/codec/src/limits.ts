/** The limits of this package, each with its reason. */

/**
 * Shorter than this nothing is compressed, in bytes: the call costs some 10 us whatever the length,
 * and 64 bytes of a record come out longer than they went in. `bench/block.bench.mjs` measures both.
 */
export const COMPRESS_BYTES_MIN = 128;

/**
 * What compression must save to pay: one part in so many. Less than that does not buy back the time
 * that every later read spends on inflating.
 */
export const COMPRESS_SAVES_ONE_IN = 8;

/**
 * The most keys of a keyring. One rotation a day fills it in eleven years; a ring is read whole, so
 * its file must stay small (288 KiB).
 */
export const KEYRING_KEYS_MAX = 4096;
