export type { LevelChainedBatch, NenLevelChainedWriteOptions } from './chained-batch.js';
export { LevelError } from './level-error.js';
export { NenLevel } from './nen-level.js';
export type {
  NenLevelBatchOptions,
  NenLevelDelOptions,
  NenLevelOpenOptions,
  NenLevelOptions,
  NenLevelPutOptions,
  NenLevelTreeOptions,
} from './options.js';
