/** A chained batch of Level, encoded into the tree's record as it grows: nothing is kept of an operation but that. */
import { AbstractChainedBatch, type AbstractChainedBatchWriteOptions } from 'abstract-level';
import type { WriteBatch } from '../db/write-batch.js';
import type { WriteOptions } from '../types.js';
import { type LevelData, toBytes } from './format.js';
import { levelError } from './level-error.js';

/** Options of `batch().write()`. */
export interface NenLevelChainedWriteOptions
  extends AbstractChainedBatchWriteOptions,
    WriteOptions {}

export class LevelChainedBatch<TDatabase, KDefault, VDefault> extends AbstractChainedBatch<
  TDatabase,
  KDefault,
  VDefault
> {
  readonly #batch: WriteBatch;

  constructor(db: TDatabase, batch: WriteBatch) {
    super(db);
    this.#batch = batch;
  }

  override write(options?: NenLevelChainedWriteOptions): Promise<void> {
    return options === undefined ? super.write() : super.write(options);
  }

  _put(key: LevelData, value: LevelData, options?: { expireAtMs?: number }): void {
    try {
      const expiry = options?.expireAtMs;
      this.#batch.put(
        toBytes(key),
        toBytes(value),
        expiry === undefined ? {} : { expireAtMs: expiry },
      );
    } catch (error) {
      throw levelError(error);
    }
  }

  _del(key: LevelData): void {
    try {
      this.#batch.delete(toBytes(key));
    } catch (error) {
      throw levelError(error);
    }
  }

  _clear(): void {
    this.#batch.clear();
  }

  async _write(options: WriteOptions): Promise<void> {
    try {
      await this.#batch.write({ sync: options.sync === true });
    } catch (error) {
      throw levelError(error);
    }
  }
}
