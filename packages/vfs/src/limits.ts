/** The limits of this package, each with its reason. */

/** The longest delay that the platform's timers take, in ms: beyond it Node fires at once. */
export const TIMER_DELAY_MS_MAX = 0x7fffffff;

/** A lock file longer than this is not one of ours and is not read, in bytes. */
export const LOCK_FILE_BYTES_MAX = 4096;

/**
 * How often a starter tries for a lock whose recorded owner is dead: someone who merely looks at
 * the lock holds it shared for about 2 ms.
 */
export const LOCK_ATTEMPTS_MAX = 3;

/** How long each attempt but the first waits for such a look to end, in ms. */
export const LOCK_WAIT_MS = 250;

/** The pause between attempts, in ms: the starter's event loop goes on meanwhile. */
export const LOCK_RETRY_MS = 25;

/**
 * Without `flock`: the pause between claiming a lock file and checking that the claim stands, in
 * ms. Longer than the gap between another starter's look and its claim.
 */
export const CLAIM_SETTLE_MS = 50;
