/**
 * The bare disk, as a hand-written loop would use it: what the log is measured against. The file is
 * preallocated with zeros, synced, and written round and round: no block is ever new. The zeros are
 * written in pieces as the log writes its own, for behind longer ones small writes take twice as long.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Load, repeatFor } from '../measure.js';

const FILE_BYTES = 64 * 1024 * 1024;
const FILL_BYTES = 128 * 1024;
const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

export class RawFile {
  readonly #fd: number;
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w+');
    const zeros = Buffer.alloc(FILL_BYTES);
    for (let at = 0; at < FILE_BYTES; at += zeros.length)
      writeSync(this.#fd, zeros, 0, zeros.length, at);
    fdatasyncSync(this.#fd);
  }

  /** Blocking write and fdatasync, one after the other. */
  synced(bytes: Buffer, countPerWrite = 1): Load {
    return (ms) => repeatFor(ms, countPerWrite, () => this.writeSynced(bytes));
  }

  writeSynced(bytes: Uint8Array): void {
    writeSync(this.#fd, bytes, 0, bytes.length, this.#next(bytes.length));
    fdatasyncSync(this.#fd);
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
