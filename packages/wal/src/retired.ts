/** Sealed segments whose files are still open: a sync that was overtaken may still use them. */
import type { LiveSegment } from './live-segment.js';

export class Retired {
  readonly #onFailure: (error: unknown) => void;
  readonly #closing = new Set<Promise<void>>();
  #stopped = false;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Cuts the file of `segment` to `length` bytes and closes it once nothing uses it. */
  add(segment: LiveSegment, length: number): void {
    const work = async (): Promise<void> => {
      try {
        if (!this.#stopped) await segment.file.truncate(length);
      } finally {
        await segment.close();
      }
    };
    const closed: Promise<void> = work().then(
      () => {
        this.#closing.delete(closed);
      },
      (error: unknown) => {
        this.#closing.delete(closed);
        this.#onFailure(error);
      },
    );
    this.#closing.add(closed);
  }

  /** No file is cut any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when all are closed. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }
}
