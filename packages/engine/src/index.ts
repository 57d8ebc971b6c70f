export { IDENTITY_FILE, LOCK_FILE, WAL_DIRECTORY } from './directory.js';
export { DATABASE_COUNT } from './effects/databases.js';
export { Engine } from './engine.js';
export { EngineError } from './errors.js';
export { type Identity, readIdentity } from './identity.js';
export { COMMIT_BYTES_MAX, VALUE_BYTES_MAX } from './limits.js';
export * from './stores/store.js';
export type * from './types.js';
