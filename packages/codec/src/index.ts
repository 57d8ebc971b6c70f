export {
  deriveFileKey,
  FILE_SALT_BYTES,
  FileCipher,
  type FileSecret,
  KEY_BYTES,
  TAG_BYTES,
} from './aead.js';
export * from './compression.js';
export * from './crc32.js';
export * from './crypto-error.js';
export * from './encryption.js';
export * from './errors.js';
export { Keyring, type KeyringOrigin } from './keyring.js';
export * from './limits.js';
export * from './lsn.js';
export type { RandomSource } from './master-key.js';
export * from './preamble.js';
export * from './uuid.js';
export * from './varint.js';
