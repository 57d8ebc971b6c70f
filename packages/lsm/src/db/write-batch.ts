/** Changes that are made together or not at all: `db.batch().put(k, v).delete(k).write()`. */
import { LsmError } from '../errors.js';
import { Batch } from '../log/batch.js';
import type { PutOptions, WriteOptions } from '../types.js';

export class WriteBatch {
  readonly #write: (batch: Batch, options: WriteOptions) => Promise<void>;
  readonly #batch = new Batch();
  #written = false;

  constructor(write: (batch: Batch, options: WriteOptions) => Promise<void>) {
    this.#write = write;
  }

  /** How many changes there are. */
  get count(): number {
    return this.#batch.count;
  }

  /** What they take in the log, in bytes. */
  get bytes(): number {
    return this.#batch.bytes;
  }

  /** Throws `LSM_TOO_LARGE`, `LSM_BAD_OPTION`, `LSM_CLOSED`. */
  put(key: Uint8Array, value: Uint8Array, options: Pick<PutOptions, 'expireAtMs'> = {}): this {
    this.#checkOpen();
    this.#batch.put(key, value, options.expireAtMs ?? 0);
    return this;
  }

  delete(key: Uint8Array): this {
    this.#checkOpen();
    this.#batch.delete(key);
    return this;
  }

  /** Deletes all keys from `gte` on and before `lt`. */
  deleteRange(gte: Uint8Array, lt: Uint8Array): this {
    this.#checkOpen();
    this.#batch.deleteRange(gte, lt);
    return this;
  }

  /** Forgets the changes. */
  clear(): this {
    this.#checkOpen();
    this.#batch.clear();
    return this;
  }

  /** Commits; resolves when that is durable. Once. Rejects as `put` of the tree does. */
  write(options: WriteOptions = {}): Promise<void> {
    try {
      this.#checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    this.#written = true;
    return this.#batch.count === 0 ? Promise.resolve() : this.#write(this.#batch, options);
  }

  #checkOpen(): void {
    if (!this.#written) return;
    throw new LsmError(
      'LSM_CLOSED',
      'expected a batch in use, got one that was written: make another',
    );
  }
}
