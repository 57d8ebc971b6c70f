/**
 * Every bound of the server and its reason. Those with a flag are defaults; the others are fixed.
 *
 * Units are last in the names. Redis's names for the same limits are in `settings.ts`.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

/** Connections at once. Redis's default; at about 20 KiB each they cost 200 MB at the worst. */
export const CLIENTS_MAX = 10_000;

/** The longest bulk string. Redis's `proto-max-bulk-len`. */
export const VALUE_BYTES_MAX = 512 * MiB;

/**
 * Received and not yet executed, over all connections. It lets one largest value and much else be
 * on the way; beyond it connections are closed (`Clients` says which), so that many half-sent
 * requests cannot fill the memory.
 */
export const QUERY_BUFFER_BYTES_MAX = 1024 * MiB;

/**
 * Replies of one connection that its peer has not taken. It lets the largest value go out with
 * replies behind it; a reader so far behind is not coming back.
 */
export const OUTPUT_BUFFER_BYTES_MAX = 1024 * MiB;

/** Replies waiting above which a connection's requests wait too: a slow reader slows itself only. */
export const OUTPUT_PAUSE_BYTES = 1 * MiB;

/** Above a socket's own buffer, so that the socket's `drain` always follows a pause. */
export const OUTPUT_PAUSE_BYTES_MIN = 128 * KiB;

/** The same before authentication, as a hard bound: no legitimate handshake answers that much. */
export const OUTPUT_BEFORE_AUTH_BYTES_MAX = 64 * KiB;

/** A request once begun must go on: without new bytes for so long the connection is closed. */
export const REQUEST_TIMEOUT_MS = 60_000;

/** From connecting to a right password; a client sends it first thing. */
export const AUTH_TIMEOUT_MS = 10_000;

/** How long a stopping server lets replies reach their readers. Below every supervisor's patience. */
export const DRAIN_TIMEOUT_MS = 5_000;

/** How long a forced stop waits for the log to close: a healthy disk needs milliseconds. */
export const FORCED_CLOSE_MS = 2_000;

/** Signals closer together are one: a terminal's Ctrl-C reaches the process directly and by npm. */
export const SIGNAL_MERGE_MS = 1_000;

/** Wrong passwords of an address that are answered at once: people mistype. */
export const AUTH_FREE_FAILURES = 5;

/** How long the answer to the next one takes; it doubles with each. */
export const AUTH_BACKOFF_MS_MIN = 100;

/** The longest that an answer takes: hopeless for guessing, and still an answer. */
export const AUTH_BACKOFF_MS_MAX = 5_000;

/**
 * Connections of one address that may wait for such an answer; one more closes the oldest. With
 * AUTH_BACKOFF_MS_MAX it bounds the answers to 13 a second.
 */
export const AUTH_DELAYED_MAX = 64;

/** After so long without a wrong password an address starts anew. */
export const AUTH_FORGET_MS = 600_000;

/** What a connection may send while its answer is delayed: a client's first pipeline, no more. */
export const AUTH_DELAYED_BYTES_MAX = 64 * KiB;

/** Addresses remembered for failed passwords; the oldest is forgotten first. */
export const AUTH_ADDRESSES_MAX = 4_096;

/** How often timeouts are looked at; shorter when a timeout is. */
export const SWEEP_MS_MAX = 1_000;
export const SWEEP_MS_MIN = 10;

/** Between two warnings of the same kind that strangers can cause, as Redis has it. */
export const WARNING_INTERVAL_MS = 60_000;

/** Connections that may wait to be accepted: what Redis asks the kernel for. */
export const LISTEN_BACKLOG = 511;

/** A password file is one line; anything longer is a mistaken path. */
export const PASSWORD_FILE_BYTES_MAX = 4 * KiB;

/** The resolution of the event-loop lag histogram: ten times below what people notice. */
export const LOOP_LAG_RESOLUTION_MS = 10;

/** How long a refused client may take to read why. */
export const REFUSAL_MS = 1_000;

/** Refused clients that may take so long at once, since each has a descriptor; others get no reason. */
export const REFUSALS_MAX = 32;

/**
 * File descriptors that clients may not take: Node itself has about 25, the log and the images need
 * a few each, REFUSALS_MAX go to those who are refused.
 */
export const DESCRIPTORS_RESERVED = 128;

/** Log text that waits because stderr does not take it; more is dropped. */
export const LOG_BUFFER_BYTES_MAX = 1 * MiB;

/** Columns of `--help`: a terminal's. */
export const HELP_COLUMNS = 80;

/** How often the engine's health is looked at for the log. */
export const HEALTH_WATCH_MS = 1_000;

/** Between two looks at whether a stopping server's replies have left. */
export const DRAIN_STEP_MS = 5;

/** How long a stopping server waits for clients to hang up once their replies have left. */
export const CLOSE_GRACE_MS = 250;

/** How long the process of a stopped server may take to end by itself. */
export const LINGER_MS = 1_000;

/** A silent connection is probed so often, as Redis does, so that peers that vanished are noticed. */
export const KEEP_ALIVE_MS = 300_000;

/** A memtable of the lsm store: larger ones make a restart longer, and writes no cheaper. */
export const LSM_MEMTABLE_BYTES_MAX = 64 * 1024 * 1024;
