/**
 * The engine's log as the tree's external log. The tree is opened before the log is, for the log is replayed into it:
 * what the tree asks meanwhile waits.
 */
import type { ExternalLog } from '@nendb/lsm';
import type { StoreLog } from '../persistence.js';
import type { Metadata } from './metadata.js';

export class TreeLog implements ExternalLog {
  readonly #metadata: Metadata;
  readonly #attached: Promise<StoreLog>;
  #attach: (log: StoreLog) => void = () => undefined;
  #abandon: (error: Error) => void = () => undefined;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
    this.#attached = new Promise((resolve, reject) => {
      this.#attach = resolve;
      this.#abandon = reject;
    });
    this.#attached.catch(() => undefined);
  }

  attach(log: StoreLog): void {
    this.#metadata.epoch = log.epoch;
    this.#attach(log);
  }

  /** There will be no log. */
  abandon(): void {
    this.#abandon(new Error('expected a log to be attached, the store was closed before'));
  }

  async synced(lsn: number): Promise<void> {
    const log = await this.#attached;
    if (log.syncedLsn < lsn) await log.sync();
  }

  onFlushed(lsn: number): void {
    this.#attached
      .then((log) => log.truncateBefore(lsn + 1))
      // Segments that stay cost room alone; the log says so itself, and the next flush asks again.
      .catch(() => undefined);
  }

  metadata(): Uint8Array {
    return this.#metadata.encode();
  }
}
