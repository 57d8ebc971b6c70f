export type * from './vfs.js';
