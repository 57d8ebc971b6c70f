/**
 * Tells listeners what has happened, at moments when they may call the log back.
 *
 * What a listener throws is its own affair: it surfaces as an uncaught error at the end of the
 * turn, and must not stop the log half-way through a step.
 */
import type { Lsn } from '@nendb/codec';
import type { Timers } from '@nendb/vfs';
import type { Marks } from './marks.js';
import { printable } from './printed.js';
import type { WalEvent } from './types.js';

export class Announcer {
  readonly #timers: Timers;
  readonly #marks: Marks;
  readonly #onEvent: ((event: WalEvent) => void) | undefined;
  #events: WalEvent[] = [];
  #calls: (() => void)[] = [];

  constructor(timers: Timers, marks: Marks, onEvent: ((event: WalEvent) => void) | undefined) {
    this.#timers = timers;
    this.#marks = marks;
    this.#onEvent = onEvent;
  }

  /** Whether anyone would hear of an event. */
  get hasListener(): boolean {
    return this.#onEvent !== undefined;
  }

  /** Keeps `event` for the next `announce`. */
  emit(event: WalEvent): void {
    if (this.#onEvent) this.#events.push(printable(event));
  }

  /** Keeps a call of a listener for the next `announce`. */
  later(call: () => void): void {
    this.#calls.push(call);
  }

  /** Calls who waits for `durableLsn`, then who listens to events, in order. */
  announce(): void {
    this.#marks.announce(this.#tell);
    if (this.#events.length === 0 && this.#calls.length === 0) return;
    const events = this.#events;
    const calls = this.#calls;
    this.#events = [];
    this.#calls = [];
    for (const event of events) this.#call(() => this.#onEvent?.(event));
    for (const call of calls) this.#call(call);
  }

  #call(listener: () => void): void {
    this.#tell(listener, 0 as Lsn);
  }

  readonly #tell = (listener: (durableLsn: Lsn) => void, durableLsn: Lsn): void => {
    try {
      listener(durableLsn);
    } catch (error) {
      this.#timers.turnEnd(() => {
        throw error;
      });
    }
  };
}
