/** What recovery fills: a store, the map of databases, the clock; by an image and by records of the log. */
import type { Lsn } from '@nendb/codec';
import type { SnapshotImage } from '@nendb/snapshot';
import type { Clock } from '@nendb/vfs';
import { DatabaseClock } from './database-clock.js';
import { applyEffects } from './effects/apply.js';
import { Databases } from './effects/databases.js';
import { EffectReader } from './effects/reader.js';
import { asEngineError, EngineError } from './errors.js';
import { runsOf } from './image-stream.js';
import type { Store } from './stores/store.js';

export class RecoveryTarget {
  readonly store: Store;
  readonly databases = new Databases();
  readonly clock: DatabaseClock;
  replayed = 0;
  /** Bytes of the records replayed. */
  replayedBytes = 0;
  /** Whether a record could not be applied, rather than read. */
  hasFailed = false;
  readonly #reader = new EffectReader();

  constructor(clock: Clock, store: Store) {
    this.store = store;
    this.clock = new DatabaseClock(clock);
  }

  async load(image: SnapshotImage): Promise<void> {
    this.clock.atLeast(image.header.databaseTimeMs);
    for await (const run of runsOf(image.chunks)) {
      this.#apply(run, 0, run.length, () => image.info.file);
    }
  }

  readonly replay = (
    at: Lsn,
    bytes: Uint8Array,
    start: number,
    end: number,
    databaseTimeMs: number,
  ): void => {
    this.clock.atLeast(databaseTimeMs);
    const { marks } = this.store;
    marks?.begin(at);
    this.#apply(bytes, start, end, () => `record ${at} of the log`);
    marks?.end(at);
    this.store.persistence?.committed(at);
    this.replayed++;
    this.replayedBytes += end - start;
  };

  #apply(bytes: Uint8Array, from: number, to: number, where: () => string): void {
    try {
      applyEffects(this.#reader, bytes, from, to, this.store, this.databases);
    } catch (error) {
      this.hasFailed = true;
      const translated = asEngineError(error);
      if (!(translated instanceof EngineError)) throw error;
      throw new EngineError(translated.code, `${where()}: ${translated.message}`, { cause: error });
    }
  }
}
