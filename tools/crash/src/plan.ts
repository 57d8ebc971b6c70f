/** What each cycle is: how the server runs, and at which moment it is killed. All from the seed. */
import type { Random } from './random.js';

/**
 * `random`: while clients write. `rotation`: while the log goes on to a new segment. `snapshot`:
 * while BGSAVE runs. `recovery`: while clients write, and again while the server starts up.
 */
export const KILL_KINDS = ['random', 'rotation', 'snapshot', 'recovery'] as const;
export type KillKind = (typeof KILL_KINDS)[number];

export interface CyclePlan {
  kind: KillKind;
  sync: string;
  segmentBytes: number;
  snapshotLogBytes: number;
  /** Kills during the start-ups that follow; 0 but for `recovery`. */
  recoveryKills: number;
  /** From the moment itself to the kill, so that kills fall all over it. */
  delayMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** Small segments rotate at nearly every group of writes. */
const SMALL_SEGMENTS_BYTES = [4 * KIB, 16 * KIB, 64 * KIB];
const SEGMENTS_BYTES = [64 * KIB, 256 * KIB, MIB, 16 * MIB];
const SNAPSHOT_LOG_BYTES = [256 * KIB, 2 * MIB, 64 * MIB];

/** Longest delay behind each moment, in ms: about as long as what is to be interrupted. */
const DELAYS_MS_MAX: Record<KillKind, number> = {
  random: 40,
  rotation: 2,
  snapshot: 15,
  recovery: 20,
};

/** Kinds take turns, so that few cycles have them all. */
export function planCycle(random: Random, cycle: number): CyclePlan {
  const kind = KILL_KINDS[cycle % KILL_KINDS.length];
  return {
    kind,
    sync: random.weighted({ always: 12, '5ms': 2, '100ms': 2, 'every:50': 2, os: 2 }),
    segmentBytes: random.pick(kind === 'rotation' ? SMALL_SEGMENTS_BYTES : SEGMENTS_BYTES),
    snapshotLogBytes: random.pick(SNAPSHOT_LOG_BYTES),
    recoveryKills: kind === 'recovery' ? random.integer(1, 3) : 0,
    delayMs: random.chance(0.4) ? 0 : random.fraction() * DELAYS_MS_MAX[kind],
  };
}

export function describePlan(plan: CyclePlan): string {
  const { kind, sync, segmentBytes, snapshotLogBytes } = plan;
  return `${kind}, --sync ${sync}, segments of ${segmentBytes} bytes, a snapshot every ${snapshotLogBytes} bytes`;
}
