export * from './stores/store.js';
export type * from './types.js';
