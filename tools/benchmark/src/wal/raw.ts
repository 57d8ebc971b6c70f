/**
 * The bare disk, as a hand-written loop would use it: the floor that the log is measured against.
 * Files are preallocated with zeros, like the log's own.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Load, repeatFor } from '../measure.js';

const FILE_BYTES = 64 * 1024 * 1024;
const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

export class RawFile {
  readonly #fd: number;
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w+');
    const zeros = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < FILE_BYTES; at += zeros.length)
      writeSync(this.#fd, zeros, 0, zeros.length, at);
    fdatasyncSync(this.#fd);
  }

  /** Blocking write and fdatasync, one after the other. */
  synced(bytes: Buffer, countPerWrite = 1): Load {
    return (ms) =>
      repeatFor(ms, countPerWrite, () => {
        writeSync(this.#fd, bytes, 0, bytes.length, this.#next(bytes.length));
        fdatasyncSync(this.#fd);
      });
  }

  /** The same through the thread pool. */
  pooled(bytes: Buffer): Load {
    return (ms) =>
      repeatFor(ms, 1, async () => {
        await writeAsync(this.#fd, bytes, 0, bytes.length, this.#next(bytes.length));
        await syncAsync(this.#fd);
      });
  }

  /** Blocking writes without a sync. */
  unsynced(bytes: Buffer): Load {
    return (ms) =>
      repeatFor(ms, 64, () => {
        for (let i = 0; i < 64; i++)
          writeSync(this.#fd, bytes, 0, bytes.length, this.#next(bytes.length));
      });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #next(bytes: number): number {
    const at = this.#at + bytes <= FILE_BYTES ? this.#at : 0;
    this.#at = at + bytes;
    return at;
  }
}
