/**
 * Signals, and what they ask of a server.
 *
 *     first signal ──▶ graceful: drain, sync, close the log, exit 0
 *     another one, later than SIGNAL_MERGE_MS ──▶ forced: close the log within FORCED_CLOSE_MS, exit 130
 *
 * A terminal's Ctrl-C arrives twice when npm started the process, hence the merging.
 */
import { SIGNAL_MERGE_MS } from './limits.js';

export interface Stoppable {
  /** Stops in order; resolves when the log is closed. */
  stop(reason: string): Promise<void>;
  /** Stops now: connections are cut, the log's close is bounded in time. */
  abort(reason: string): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * Obeys SIGINT and SIGTERM until the returned function is called.
 *
 * @param nowMs a clock that never goes back, in ms.
 */
export function obeySignals(
  target: Stoppable,
  source: SignalSource = process,
  nowMs: () => number = () => performance.now(),
): () => void {
  let lastMs: number | undefined;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      const atMs = nowMs();
      if (lastMs === undefined) void target.stop(signal);
      else if (atMs - lastMs > SIGNAL_MERGE_MS) void target.abort(signal);
      else return;
      lastMs = atMs;
    };
    source.on(signal, listener);
    return [signal, listener] as const;
  });
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}
