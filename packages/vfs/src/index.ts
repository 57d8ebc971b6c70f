export * from './errors.js';
export { makeDirectory } from './make-directory.js';
export { NodeVfs, type NodeVfsOptions, nodeVfs } from './node/node-vfs.js';
export * from './path.js';
export * from './replace-file.js';
export * from './transfer.js';
export type * from './vfs.js';
