/**
 * Slows writers down before they would have to stop.
 *
 *     debt       0 ...... slow ........................ stop
 *     writers    free     ever slower, down to 1 MiB/s  wait for the next flush; 1 MiB/s for runs
 *
 * Debt is the worst of: memtables that wait for their flush, runs in level 0. Between `slow` and `stop` the rate
 * falls geometrically from `PACED_BYTES_PER_SEC_MAX` to `PACED_BYTES_PER_SEC_MIN`: a writer who produces faster than
 * compaction can take meets its rate somewhere in between, in waits of milliseconds, not in a stall of seconds.
 */
import {
  FROZEN_MEMTABLES_FREE,
  FROZEN_MEMTABLES_MAX,
  LEVEL0_RUNS_SLOW,
  LEVEL0_RUNS_STOP,
  PACED_BYTES_PER_SEC_MAX,
  PACED_BYTES_PER_SEC_MIN,
  STOPPED_MS,
} from '../limits.js';

export interface PacingSigns {
  frozenMemtables: number;
  level0Runs: number;
  level0RunsCompact: number;
}

/** What writers may write in bytes per second; 0 while they are free. */
export function pacedBytesPerSec(signs: PacingSigns): number {
  const slow = Math.max(LEVEL0_RUNS_SLOW, signs.level0RunsCompact * 3);
  const stop = Math.max(LEVEL0_RUNS_STOP, slow * 3);
  const debt = Math.max(
    (signs.frozenMemtables - FROZEN_MEMTABLES_FREE) /
      (FROZEN_MEMTABLES_MAX - FROZEN_MEMTABLES_FREE),
    (signs.level0Runs - slow) / (stop - slow),
  );
  if (debt <= 0) return 0;
  const fall = PACED_BYTES_PER_SEC_MIN / PACED_BYTES_PER_SEC_MAX;
  return PACED_BYTES_PER_SEC_MAX * fall ** Math.min(debt, 1);
}

/** How long the writers of `bytes` are held back, in ms; infinite for until the next flush. */
export function delayMs(bytes: number, signs: PacingSigns): number {
  if (signs.frozenMemtables <= FROZEN_MEMTABLES_FREE && signs.level0Runs < LEVEL0_RUNS_SLOW) {
    return 0;
  }
  if (signs.frozenMemtables >= FROZEN_MEMTABLES_MAX) return Number.POSITIVE_INFINITY;
  const rate = pacedBytesPerSec(signs);
  if (rate === 0) return 0;
  const ms = (bytes * 1000) / rate;
  return Math.min(ms, STOPPED_MS);
}
