/**
 * Flushes a store that keeps itself on disk: what a snapshot is for the others. The tree flushes by itself as its
 * memtables fill, and cuts the log then; nothing is begun here but what is asked for.
 */
import { lsn } from '@nendb/codec';
import type { SnapshotInfo } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import type { DatabaseClock } from './database-clock.js';
import { STORE_DIRECTORY } from './directory.js';
import { asEngineError } from './errors.js';
import type { ImageKeeper } from './image-keeper.js';
import type { StorePersistence } from './stores/persistence.js';
import type { SnapshotStatus } from './types.js';

export interface FlushKeeperParts {
  persistence: StorePersistence;
  databaseUuid: Uint8Array;
  clock: DatabaseClock;
  vfs: Vfs;
  /** The epoch of the log. */
  epoch: number;
}

export class FlushKeeper implements ImageKeeper {
  readonly #parts: FlushKeeperParts;
  #running: Promise<SnapshotInfo> | undefined;
  #newest: SnapshotInfo | undefined;
  #savedAtMs = 0;
  #lastError: string | undefined;
  #logBytesSince = 0;
  #flushedLsn: number;

  constructor(parts: FlushKeeperParts) {
    this.#parts = parts;
    this.#flushedLsn = parts.persistence.flushedLsn;
  }

  async load(_: unknown, replayedBytes: number): Promise<void> {
    this.#logBytesSince = replayedBytes;
  }

  get status(): SnapshotStatus {
    const { problem } = this.#parts.persistence;
    return {
      ...(this.#newest && { newest: this.#newest }),
      savedAtMs: this.#savedAtMs,
      inProgress: this.#running !== undefined,
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
      ...(problem !== undefined && { damage: problem }),
      logBytesSince: this.#logBytesSince,
    };
  }

  take(): Promise<SnapshotInfo> {
    this.#running ??= this.#take().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  onCommit(bytes: number): void {
    const { flushedLsn } = this.#parts.persistence;
    if (flushedLsn !== this.#flushedLsn) {
      this.#flushedLsn = flushedLsn;
      this.#logBytesSince = 0;
    }
    this.#logBytesSince += bytes;
  }

  async close(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #take(): Promise<SnapshotInfo> {
    const { persistence, databaseUuid, clock, vfs, epoch } = this.#parts;
    const databaseTimeMs = clock.nowMs();
    try {
      await persistence.flush();
    } catch (error) {
      const translated = asEngineError(error);
      this.#lastError = translated instanceof Error ? translated.message : String(translated);
      throw translated;
    }
    const { fileBytes, flushedLsn } = persistence;
    this.#lastError = undefined;
    this.#savedAtMs = Math.floor(vfs.clock.wallMs());
    this.#newest = {
      file: STORE_DIRECTORY,
      role: 'newest',
      header: { lsn: lsn(flushedLsn), epoch, uuid: databaseUuid, databaseTimeMs },
      fileBytes,
      payloadBytes: fileBytes,
      compressed: false,
    };
    return this.#newest;
  }
}
