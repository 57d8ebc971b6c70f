/** Every limit of the command line, with its reason. */

/** A server on the same machine or network accepts in milliseconds; a person gives up after this. */
export const CONNECT_TIMEOUT_MS = 3_000;

/** Answers that take no work from the server (HELLO, AUTH, NENDB STATUS). A stalled disk is told apart from a dead host. */
export const ANSWER_TIMEOUT_MS = 10_000;

/** Longer than any passphrase; a wrong path to a big file is noticed before it is read into memory. */
export const PASSWORD_FILE_BYTES_MAX = 4_096;

/** The highest database number that `SELECT` takes. */
export const DATABASE_MAX = 15;

/** A guess further away than this from what was typed is noise, not help. */
export const SUGGESTION_DISTANCE_MAX = 2;

/** What a dry run copies of a file that recovery would write to: the log's HEAD is 8 KiB. */
export const COPY_BYTES_MAX = 1024 * 1024;

/** A dry run of recovery starts the next segment in memory, and appends nothing but its end to it. */
export const DRY_RUN_SEGMENT_BYTES = 1024 * 1024;

/** Looks at a lock that is held and names nobody: with the pause about as long as a starter may take. */
export const LOCK_LOOKS_MAX = 10;

/** Between two such looks; a process writes its name within a few milliseconds. */
export const LOCK_LOOK_PAUSE_MS = 25;
