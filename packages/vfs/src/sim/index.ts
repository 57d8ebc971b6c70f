/** The deterministic machine, as an entry of its own: production code does not load it. */
export { CrashPoint } from './crash-point.js';
export {
  type ChoiceLimits,
  type CrashChoice,
  type CrashProfile,
  type CrashUnit,
  everything,
  type Fate,
  nothingUnsynced,
  posixWeak,
} from './crash-profile.js';
export type { Failure, FaultError, FaultKind, Faults, OpKind } from './faults.js';
export type { Change, ChangeKind } from './history.js';
export { type CrashKind, SimImage } from './image.js';
export { Prng } from './prng.js';
export { SimDeadlockError, type SimOrder } from './scheduler.js';
export { SECTOR_BYTES } from './sector.js';
export { type CrashOptions, type SimOptions, SimVfs } from './sim-vfs.js';
export type { SyncFailure } from './sync-outcome.js';
