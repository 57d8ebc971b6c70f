/**
 * A file on a failing disk: sectors that cannot be read come back as zeros, and are noted. Zeros are
 * no frame, so whoever walks the file takes them for damage and goes on behind them.
 *
 * For reading only; the other half of `VfsFile` goes to the file below.
 */
import { readFully, type VfsFile } from '@nendb/vfs';
import { DISK_SECTOR_BYTES } from '../limits.js';
import { isUnreadable } from './findings.js';

export class ForgivingFile implements VfsFile {
  readonly #file: VfsFile;
  readonly #onUnreadable: (offset: number, error: unknown) => void;

  constructor(file: VfsFile, onUnreadable: (offset: number, error: unknown) => void) {
    this.#file = file;
    this.#onUnreadable = onUnreadable;
  }

  get path(): string {
    return this.#file.path;
  }

  async readAt(target: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#file.readAt(target, position);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    const size = await this.#file.size();
    const length = Math.max(0, Math.min(target.length, size - position));
    for (let done = 0; done < length; ) {
      const at = position + done;
      const step = Math.min(DISK_SECTOR_BYTES - (at % DISK_SECTOR_BYTES), length - done);
      const sector = target.subarray(done, done + step);
      try {
        await readFully(this.#file, sector, at);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        sector.fill(0);
        this.#onUnreadable(at, error);
      }
      done += step;
    }
    return length;
  }

  readAtSync(target: Uint8Array, position: number): number {
    return this.#file.readAtSync(target, position);
  }

  writeAt(source: Uint8Array, position: number): Promise<number> {
    return this.#file.writeAt(source, position);
  }

  writeAtSync(source: Uint8Array, position: number): number {
    return this.#file.writeAtSync(source, position);
  }

  truncate(length: number): Promise<void> {
    return this.#file.truncate(length);
  }

  truncateSync(length: number): void {
    this.#file.truncateSync(length);
  }

  sync(options?: { dataOnly?: boolean }): Promise<void> {
    return this.#file.sync(options);
  }

  syncSync(options?: { dataOnly?: boolean }): void {
    this.#file.syncSync(options);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  sizeSync(): number {
    return this.#file.sizeSync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  closeSync(): void {
    this.#file.closeSync();
  }
}
