/**
 * Takes snapshots: an image of the store at one commit, written while writes go on (R16).
 *
 * Invariants
 *  1. The image is of a commit boundary: it begins between two commits (R2).
 *  2. It gets its final name after the log is synced to its LSN (R3).
 *  3. The log is cut behind the oldest image that is kept, never at the newest, and not at all
 *     while there is only one: a `.bak` without the log that follows it is worthless (R4).
 */
import { type Lsn, lsn } from '@nendb/codec';
import { Snapshot, type SnapshotInfo } from '@nendb/snapshot';
import type { Wal } from '@nendb/wal';
import type { DatabaseClock } from './database-clock.js';
import type { Databases } from './effects/databases.js';
import { asEngineError, EngineError } from './errors.js';
import type { ImageKeeper } from './image-keeper.js';
import { encodeDatabases, streamImage } from './image-stream.js';
import type { EngineSettings } from './options.js';
import type { Store } from './stores/store.js';
import type { EngineRecovery, SnapshotStatus } from './types.js';

export interface SnapshotSource {
  settings: EngineSettings;
  databaseUuid: Uint8Array;
  wal: Wal;
  store: Store;
  databases: Databases;
  clock: DatabaseClock;
  appliedLsn: () => Lsn;
}

export class Snapshotter implements ImageKeeper {
  readonly #source: SnapshotSource;
  readonly #abort = new AbortController();
  #newest: SnapshotInfo | undefined;
  #savedAtMs = 0;
  /** Bytes of commits since the newest image began. */
  #logBytesSince = 0;
  /** No image is started by itself before `#logBytesSince` reaches this: set by a failure. */
  #retryAtBytes = 0;
  #running: Promise<SnapshotInfo> | undefined;
  #lastError: string | undefined;
  /** Why an image that should be there cannot be used; until a new one has taken its place. */
  #damage: string | undefined;

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  /**
   * Takes over what recovery has found. After damage a new image is begun at once: until it is
   * there, one more bad byte could be one too many.
   */
  async load(recovery: EngineRecovery, replayedBytes: number): Promise<void> {
    this.#logBytesSince = replayedBytes;
    this.#newest = recovery.snapshot?.info;
    this.#damage = recovery.snapshot?.reason ?? recovery.snapshotRefused;
    if (this.#newest) {
      const { vfs, dir } = this.#source.settings;
      const stat = await vfs.stat(`${dir}/${this.#newest.file}`);
      this.#savedAtMs = Math.floor(stat?.modifiedMs ?? 0);
    }
    if (this.#damage !== undefined) this.#takeByItself();
  }

  get status(): SnapshotStatus {
    return {
      ...(this.#newest && { newest: this.#newest }),
      savedAtMs: this.#savedAtMs,
      inProgress: this.#running !== undefined,
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
      ...(this.#damage !== undefined && { damage: this.#damage }),
      logBytesSince: this.#logBytesSince,
    };
  }

  /** Takes an image, or joins the one being taken. */
  take(): Promise<SnapshotInfo> {
    this.#running ??= this.#take().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Counts a commit; starts an image when the log since the last one has grown enough (R4). */
  onCommit(bytes: number): void {
    this.#logBytesSince += bytes;
    if (this.#logBytesSince >= Math.max(this.#dueBytes, this.#retryAtBytes)) this.#takeByItself();
  }

  /** Abandons an image that is being taken and waits until it is gone. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running?.catch(() => undefined);
  }

  get #dueBytes(): number {
    return Math.max(this.#source.settings.snapshotLogBytesMin, this.#newest?.payloadBytes ?? 0);
  }

  #takeByItself(): void {
    if (this.#running || this.#abort.signal.aborted) return;
    // The outcome is in `status`; a failed image is not tried again at the very next commit.
    this.take().catch(() => {
      this.#retryAtBytes = this.#logBytesSince + this.#dueBytes;
    });
  }

  async #take(): Promise<SnapshotInfo> {
    const { settings, wal, store, databases, clock, databaseUuid } = this.#source;
    const { vfs, dir } = settings;
    if (this.#abort.signal.aborted) {
      throw new EngineError('ENGINE_CLOSED', 'expected an open engine, it is closing');
    }
    const logBytesBefore = this.#logBytesSince;
    const image = store.image();
    try {
      const info = await Snapshot.write(dir, {
        lsn: this.#source.appliedLsn(),
        epoch: wal.epoch,
        uuid: databaseUuid,
        databaseTimeMs: clock.nowMs(),
        chunks: streamImage(encodeDatabases(databases), image, vfs.timers),
        vfs,
        signal: this.#abort.signal,
        beforePublish: () => wal.sync(),
      });
      this.#newest = info;
      this.#savedAtMs = Math.floor(vfs.clock.wallMs());
      this.#logBytesSince -= logBytesBefore;
      this.#retryAtBytes = 0;
      this.#lastError = undefined;
      this.#damage = undefined;
      await this.#cutLog();
      return info;
    } catch (error) {
      const translated = asEngineError(error);
      this.#lastError = translated instanceof Error ? translated.message : String(translated);
      throw translated;
    } finally {
      image.release();
    }
  }

  async #cutLog(): Promise<void> {
    const { settings, wal } = this.#source;
    const images = await Snapshot.list(settings.dir, { vfs: settings.vfs });
    if (images.length < 2) return;
    const oldest = Math.min(...images.map((image) => image.header.lsn));
    await wal.truncateBefore(lsn(oldest + 1));
  }
}
