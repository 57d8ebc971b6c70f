/** Every limit of the protocol, with its reason. Bytes and counts as named. */

/** A header line (`*3`, `$5`) or an inline command: nobody types more; Redis has the same bound. */
export const LINE_BYTES_MAX = 64 * 1024;

/** The longest argument: the longest string that Redis stores (`proto-max-bulk-len`). */
export const BULK_BYTES_MAX = 512 * 1024 * 1024;

/** Arguments of one request: what Redis takes, and 8 MiB of offsets here. */
export const ELEMENTS_MAX = 1024 * 1024;

/**
 * One whole request. Offsets are 32-bit, and nothing that holds more could be committed as one
 * record; Redis bounds its query buffer at the same size.
 */
export const REQUEST_BYTES_MAX = 1024 * 1024 * 1024;

/** Before authentication: enough for AUTH and HELLO, too little to fill memory with. */
export const UNAUTHENTICATED_ELEMENTS_MAX = 10;
export const UNAUTHENTICATED_BULK_BYTES_MAX = 16 * 1024;

/** Offset arrays longer than this are given back after the request that needed them. */
export const OFFSETS_KEPT_MAX = 4096;

/** The first output buffer of a connection: small, since most connections are idle. */
export const SLAB_BYTES_MIN = 1024;

/** Output buffers of a busy connection: large enough that making one is rare. */
export const SLAB_BYTES_MAX = 16 * 1024;

/** Nesting of a reply: the deepest that Redis sends (COMMAND DOCS) is below ten. */
export const REPLY_DEPTH_MAX = 64;

/** Elements of one aggregate of a reply: every key of a large server fits. */
export const REPLY_ELEMENTS_MAX = 128 * 1024 * 1024;

/** One bulk string of a reply: above `BULK_BYTES_MAX`, since DUMP and INFO wrap values. */
export const REPLY_BULK_BYTES_MAX = 1024 * 1024 * 1024;
