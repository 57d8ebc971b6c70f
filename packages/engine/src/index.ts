export { DATABASE_COUNT } from './effects/databases.js';
export { Engine } from './engine.js';
export { EngineError } from './errors.js';
export { IDENTITY_FILE, type Identity, readIdentity } from './identity.js';
export { COMMIT_BYTES_MAX, VALUE_BYTES_MAX } from './limits.js';
export { LOCK_FILE, WAL_DIRECTORY } from './open.js';
export * from './stores/store.js';
export type * from './types.js';
