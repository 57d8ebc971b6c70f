export { WalError, type WalErrorPlace } from './errors.js';
export type * from './offline/report.js';
export type { RecordVisitor } from './read-log.js';
export {
  type DeleteRecord,
  type PutOptions,
  type PutRecord,
  Record,
  type WalRecord,
} from './record.js';
export type { EpochStart } from './segment-header.js';
export type * from './types.js';
export { Wal } from './wal.js';
