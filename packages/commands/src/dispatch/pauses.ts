/**
 * CLIENT PAUSE: requests that wait until a time, or until CLIENT UNPAUSE, all of them or those that may
 * write. A longer pause takes the place of a shorter one, never the other way round, as in Redis.
 */
import type { EngineView } from '@nendb/engine';

export type PauseKind = 'none' | 'writes' | 'all';

export class Pauses {
  kind: PauseKind = 'none';
  readonly #engine: EngineView;
  #untilMs = 0;
  #timer: { cancel(): void } | undefined;
  #over: Promise<void> | undefined;
  #end: (() => void) | undefined;

  constructor(engine: EngineView) {
    this.#engine = engine;
  }

  begin(kind: 'writes' | 'all', forMs: number): void {
    const untilMs = this.#engine.nowMs() + forMs;
    this.kind = kind === 'all' || this.kind === 'all' ? 'all' : 'writes';
    if (untilMs <= this.#untilMs) return;
    this.#untilMs = untilMs;
    this.#over ??= new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#timer?.cancel();
    this.#timer = this.#engine.timers.after(forMs, () => this.end(), { background: true });
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.kind = 'none';
    this.#untilMs = 0;
    const end = this.#end;
    this.#over = undefined;
    this.#end = undefined;
    end?.();
  }

  /** Resolves when the pause that is on has ended. */
  over(): Promise<void> {
    return this.#over ?? Promise.resolve();
  }
}
