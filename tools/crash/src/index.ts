export * from './driver.js';
export * from './failure.js';
export { KILL_KINDS, type KillKind } from './plan.js';
export { serverScript } from './server-process.js';
