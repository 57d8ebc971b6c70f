/**
 * A sync that runs beside the writer's plan: one at a time.
 *
 * Invariant: `running` is gone before the end of a sync is told.
 */
export class BackgroundSync {
  #running: Promise<void> | undefined;

  /** Resolves when the sync under way has ended, whichever way; `undefined` while there is none. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /** Starts `sync` and calls `done` or `failed` at its end. */
  start(sync: () => Promise<void>, done: () => void, failed: (error: unknown) => void): void {
    this.#running = sync().then(
      () => {
        this.#running = undefined;
        done();
      },
      (error: unknown) => {
        this.#running = undefined;
        failed(error);
      },
    );
  }
}
