export * from './errors.js';
export { Snapshot } from './snapshot.js';
export type * from './types.js';
