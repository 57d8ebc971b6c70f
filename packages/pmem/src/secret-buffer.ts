/**
 * Bytes that must not outlive their use: keys and passwords.
 *
 * Invariants
 *  1. The memory is the secret's alone: not from the pool that small buffers share, and zeroed on
 *     release. A collected secret that nobody released is zeroed too, before its memory is reused.
 *  2. It shows itself to nobody: not as a string, not in JSON, not to `console.log`.
 *
 * What it cannot do: strings that the bytes were made from, and copies that others make of `bytes`, are
 * not wiped. Read secrets into buffers from the start.
 */
import { inspect } from 'node:util';
import { PmemError } from './errors.js';

const HIDDEN = '[SecretBuffer]';

/** The net under those who forget: it wipes the memory after its owner was collected. */
const forgotten = new FinalizationRegistry<Uint8Array>((bytes) => bytes.fill(0));

export class SecretBuffer {
  #bytes: Uint8Array | undefined;

  /** A secret of `byteCount` bytes, all zero. */
  constructor(byteCount: number) {
    this.#bytes = new Uint8Array(byteCount);
    forgotten.register(this, this.#bytes, this);
  }

  /** Takes the bytes of `source` over: they are copied, and `source` is zeroed. */
  static take(source: Uint8Array): SecretBuffer {
    const secret = new SecretBuffer(source.length);
    secret.bytes.set(source);
    source.fill(0);
    return secret;
  }

  /** The bytes themselves, until `release`. Throws `PMEM_SECRET_RELEASED`. */
  get bytes(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes;
    throw new PmemError(
      'PMEM_SECRET_RELEASED',
      'expected a secret in use, got a released one: make it anew',
    );
  }

  get released(): boolean {
    return this.#bytes === undefined;
  }

  /** Gives the bytes to `work` and wipes them when it is done, whatever happened. */
  async use<T>(work: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
    try {
      return await work(this.bytes);
    } finally {
      this.release();
    }
  }

  /** Zeroes the bytes. May be called again. */
  release(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
    forgotten.unregister(this);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
