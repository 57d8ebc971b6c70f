/**
 * A new file that is written once, from its start to its end, in steps: tables and value files.
 *
 * Synchronous, for worker tasks (R8): what is written is synced every `syncStepBytes`, so that no sync
 * is ever a long one, and `pace` may make the thread wait between steps.
 *
 * Invariants
 *  1. `position` is where the next byte goes, whether or not those before it are written yet.
 *  2. After a throw nothing more is written: the file is closed and unlinked with `abort`.
 *  3. `finish` returns after the file's bytes are durable. Its name is the caller's to make durable.
 */
import { type Vfs, type VfsFile, writeFullySync } from '@nendb/vfs';
import { OUTPUT_BUFFER_BYTES, SYNC_STEP_BYTES } from './limits.js';

export interface OutputOptions {
  /** Bytes between two syncs; 0 for one at the end only. Default `SYNC_STEP_BYTES`. */
  syncStepBytes?: number;
  /** Called before so many bytes are written; may block the thread. */
  pace?: (bytes: number) => void;
}

export class Output {
  readonly #vfs: Vfs;
  readonly #path: string;
  readonly #file: VfsFile;
  readonly #buffer = new Uint8Array(OUTPUT_BUFFER_BYTES);
  readonly #pace: ((bytes: number) => void) | undefined;
  readonly #syncStepBytes: number;
  #buffered = 0;
  #written = 0;
  #unsynced = 0;
  #open = true;

  constructor(vfs: Vfs, path: string, options: OutputOptions = {}) {
    this.#vfs = vfs;
    this.#path = path;
    this.#pace = options.pace;
    this.#syncStepBytes = options.syncStepBytes ?? SYNC_STEP_BYTES;
    this.#file = vfs.openSync(path, 'create');
  }

  get path(): string {
    return this.#path;
  }

  get position(): number {
    return this.#written + this.#buffered;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > this.#buffer.length - this.#buffered) this.#flush();
    if (bytes.length > this.#buffer.length) {
      for (let at = 0; at < bytes.length; at += this.#buffer.length) {
        this.#put(bytes.subarray(at, at + this.#buffer.length));
      }
      return;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  /** Writes what is left, syncs and closes. */
  finish(): void {
    this.#flush();
    this.#file.syncSync();
    this.#open = false;
    this.#file.closeSync();
  }

  /** Closes and unlinks what was written so far. */
  abort(): void {
    if (this.#open) {
      this.#open = false;
      this.#file.closeSync();
    }
    this.#vfs.unlinkSync(this.#path);
  }

  #flush(): void {
    if (this.#buffered === 0) return;
    this.#put(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#pace?.(bytes.length);
    writeFullySync(this.#file, bytes, this.#written);
    this.#written += bytes.length;
    this.#unsynced += bytes.length;
    if (this.#syncStepBytes > 0 && this.#unsynced >= this.#syncStepBytes) {
      this.#file.syncSync({ dataOnly: true });
      this.#unsynced = 0;
    }
  }
}
