/**
 * Everything that the simulator can do to a program, by name: one counter each.
 *
 *     error:write  sync:late  short-read  ...     faults, as planned with `sim.faults`
 *     damage:bit-flip  ...                        what happened to an image on its medium
 *     crash:power  profile:posix-weak  fate:old   images, under which rules, what became of a unit
 *     detector:use-after-close  ...               what a program did that no program may do
 */
import { EFFECT_OP_KINDS, OP_KINDS, type OpKind } from './op-kind.js';

export const SYNC_FAILURES = ['clean-new', 'clean-old', 'partial', 'late'] as const;

const OTHER_FAULTS = [
  'sync:reported-late',
  'syncDir:lost',
  'writeback:lost',
  'short-write',
  'short-read',
  'no-space',
  'no-descriptors',
  'read-only',
  'access-denied',
  'bad-range:read',
  'bad-range:write',
  'misdirected:read',
  'misdirected:write',
  'stall',
  'clock-jump',
  'shuffled-readdir',
] as const;

export const DAMAGE_KINDS = [
  'bit-flip',
  'zeroed',
  'lost',
  'stale',
  'misdirected',
  'rolled-back',
  'deleted',
  'swapped',
] as const;

export const DETECTOR_KINDS = [
  'descriptor-leak',
  'use-after-close',
  'close-in-flight',
  'buffer-changed',
  'early-acknowledgement',
] as const;

const CRASH_KINDS = ['crash:kill', 'crash:power', 'crash:torn-write'] as const;
const FATES = ['kept', 'old', 'earlier', 'garbage'] as const;
const PROFILES = ['posix-weak', 'ext4-ordered', 'none', 'all'] as const;

export type DamageKind = (typeof DAMAGE_KINDS)[number];
export type DetectorKind = (typeof DETECTOR_KINDS)[number];

export type FaultKind =
  | `error:${OpKind}`
  | `effect:${OpKind}`
  | `sync:${(typeof SYNC_FAILURES)[number]}`
  | (typeof OTHER_FAULTS)[number];

/** `crash:*`; `profile:*`, where something was at stake; `fate:*`, what became of some unit of it. */
export type CrashCoverage =
  | (typeof CRASH_KINDS)[number]
  | `profile:${string}`
  | `fate:${(typeof FATES)[number]}`;

export type CoverageKind =
  | FaultKind
  | CrashCoverage
  | `damage:${DamageKind}`
  | `detector:${DetectorKind}`;

export const FAULT_COVERAGE: readonly FaultKind[] = [
  ...OP_KINDS.map((op) => `error:${op}` as const),
  ...EFFECT_OP_KINDS.map((op) => `effect:${op}` as const),
  ...SYNC_FAILURES.map((failure) => `sync:${failure}` as const),
  ...OTHER_FAULTS,
];

export const DAMAGE_COVERAGE = DAMAGE_KINDS.map((kind) => `damage:${kind}` as const);

export const DETECTOR_COVERAGE = DETECTOR_KINDS.map((kind) => `detector:${kind}` as const);

/** Crashes under the profiles that come with the simulator. */
export const CRASH_COVERAGE: readonly CrashCoverage[] = [
  ...CRASH_KINDS,
  ...PROFILES.map((name) => `profile:${name}` as const),
  ...FATES.map((fate) => `fate:${fate}` as const),
];

/** All of it. */
export const COVERAGE_KINDS: readonly CoverageKind[] = [
  ...FAULT_COVERAGE,
  ...DAMAGE_COVERAGE,
  ...CRASH_COVERAGE,
  ...DETECTOR_COVERAGE,
];
