export { OracleError, type OracleErrorCode } from './errors.js';
export { keyAfter } from './key-order.js';
export { Oracle } from './oracle.js';
export type * from './types.js';
