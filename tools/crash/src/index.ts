export * from './driver.js';
export * from './failure.js';
export { KILL_KINDS, type KillKind } from './plan.js';
