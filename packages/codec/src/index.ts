export * from './crc32.js';
export * from './errors.js';
export * from './lsn.js';
export * from './preamble.js';
export * from './uuid.js';
export * from './varint.js';
