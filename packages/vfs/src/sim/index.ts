/** The deterministic machine, as an entry of its own: production code does not load it. */
export type { Promised } from './acknowledgements.js';
export { Coverage } from './coverage.js';
export {
  COVERAGE_KINDS,
  type CoverageKind,
  CRASH_COVERAGE,
  type CrashCoverage,
  DAMAGE_COVERAGE,
  DAMAGE_KINDS,
  type DamageKind,
  DETECTOR_COVERAGE,
  type DetectorKind,
  FAULT_COVERAGE,
  type FaultKind,
  SYNC_FAILURES,
} from './coverage-kinds.js';
export { CrashPoint } from './crash-point.js';
export {
  type ChoiceLimits,
  type CrashChoice,
  type CrashMoment,
  type CrashProfile,
  type CrashUnit,
  everything,
  type Fate,
  nothingUnsynced,
  posixWeak,
} from './crash-profile.js';
export { type Damage, damaged } from './damage.js';
export { type DamageOptions, damagedImages } from './damage-draw.js';
export { ext4Ordered } from './ext4-ordered.js';
export type { Moment } from './fault-plan.js';
export type { Failure, FaultError, Faults } from './faults.js';
export type { Change, ChangeKind } from './history.js';
export { type CrashKind, type ImageOrigin, SimImage } from './image.js';
export type { BadRange, MediaFaults, Misdirection } from './media-faults.js';
export { OP_KINDS, type OpKind } from './op-kind.js';
export { Prng } from './prng.js';
export type { Denial, ResourceFaults } from './resource-faults.js';
export { SimDeadlockError, type SimOrder } from './scheduler.js';
export { SECTOR_BYTES } from './sector.js';
export { type CrashOptions, type SimOptions, SimVfs } from './sim-vfs.js';
export type { SyncFailure } from './sync-outcome.js';
