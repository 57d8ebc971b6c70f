/** The public options of `NenLevel`: Level's, and what the tree has beyond them. */
import type {
  AbstractBatchOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
} from 'abstract-level';
import type { LsmOptions, PutOptions, WriteOptions } from '../types.js';

/** What `Lsm.open` takes, but for what the location and Level's own options say. */
export type NenLevelTreeOptions = Omit<LsmOptions, 'dir' | 'mustExist' | 'log'>;

export interface NenLevelOptions<K, V> extends AbstractDatabaseOptions<K, V>, NenLevelTreeOptions {}

export interface NenLevelOpenOptions extends AbstractOpenOptions, NenLevelTreeOptions {}

/** `sync`: resolve only when a sync covers the write. `expireAtMs`: when the entry ends, in ms since 1970. */
export interface NenLevelPutOptions<K, V> extends AbstractPutOptions<K, V>, PutOptions {}

export interface NenLevelDelOptions<K> extends AbstractDelOptions<K>, WriteOptions {}

/** `expireAtMs` here is that of all puts of the batch; an operation may have its own. */
export interface NenLevelBatchOptions<K, V> extends AbstractBatchOptions<K, V>, PutOptions {}
