export * from './errors.js';
export type { Protocol } from './format.js';
export {
  BULK_BYTES_MAX,
  ELEMENTS_MAX,
  LINE_BYTES_MAX,
  REQUEST_BYTES_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
  UNAUTHENTICATED_ELEMENTS_MAX,
} from './limits.js';
export * from './reply-parser.js';
export * from './reply-values.js';
export * from './reply-writer.js';
export * from './request-parser.js';
export * from './request-writer.js';
