/**
 * How long commands take: the slow log, LATENCY's events, and a histogram for each command.
 *
 * Hot: each command passes `begin` and `record` once: two additions into typed arrays, two comparisons,
 * and one look at the clock, since of the commands that run in a row each begins when the one before
 * it has ended. A look costs some 80 ns, as much as all the rest.
 *
 *     bucket i of a command: calls that took at least 2^i us and less than 2^(i+1), the first also less
 */

import type { Request } from '../dispatch/request.js';
import type { Host } from '../host.js';
import type { Session } from '../session.js';
import type { Command } from '../table/row.js';
import { LatencyMonitor } from './latency-monitor.js';
import { defaultParameters, type ObserveParameters } from './parameters.js';
import { SlowLog } from './slow-log.js';

/** Up to half an hour. */
export const HISTOGRAM_BUCKETS = 32;

export class Observations {
  readonly parameters: ObserveParameters = defaultParameters();
  readonly slowLog = new SlowLog();
  readonly latency = new LatencyMonitor();
  /** By `Command.index`. */
  readonly elapsedUs: Float64Array;
  readonly #histograms: Uint32Array;
  readonly #host: Host;
  /** Wall clock at the last look, in ms since 1970, with fractions. */
  #lastMs = 0;
  /** Whether the program has done nothing else since. */
  #inARow = false;
  readonly #endOfRow = () => {
    this.#inARow = false;
  };

  constructor(commands: number, host: Host) {
    this.#host = host;
    this.elapsedUs = new Float64Array(commands);
    this.#histograms = new Uint32Array(commands * HISTOGRAM_BUCKETS);
  }

  /** When the command that is about to run begins: `startMs` of `record`. */
  begin(): number {
    if (!this.#inARow) {
      this.#inARow = true;
      this.#lastMs = this.#host.wallMs();
      queueMicrotask(this.#endOfRow);
    }
    return this.#lastMs;
  }

  /** The command has ended. */
  record(command: Command, request: Request, session: Session, startMs: number): void {
    const endMs = this.#host.wallMs();
    this.#lastMs = endMs;
    const us = (endMs - startMs) * 1000;
    this.elapsedUs[command.index] += us;
    const bucket = us < 1 ? 0 : 31 - Math.clz32(us);
    this.#histograms[command.index * HISTOGRAM_BUCKETS + bucket]++;
    const { slowlogUsMin, latencyMsMin } = this.parameters;
    if (us >= slowlogUsMin || (latencyMsMin > 0 && us >= latencyMsMin * 1000)) {
      this.#slow(command, request, session, startMs, us);
    }
  }

  /** The buckets of a command. */
  histogram(command: Command): Uint32Array {
    const at = command.index * HISTOGRAM_BUCKETS;
    return this.#histograms.subarray(at, at + HISTOGRAM_BUCKETS);
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.elapsedUs.fill(0);
    this.#histograms.fill(0);
  }

  #slow(command: Command, request: Request, session: Session, startMs: number, us: number): void {
    const { slowlogUsMin, slowlogEntriesMax, latencyMsMin } = this.parameters;
    const { flags } = command.spec;
    if (slowlogUsMin >= 0 && us >= slowlogUsMin && !flags.includes('skip_slowlog')) {
      this.slowLog.add(command, request, session, startMs, us, slowlogEntriesMax);
    }
    if (latencyMsMin > 0 && us >= latencyMsMin * 1000) {
      const event = flags.includes('fast') ? 'fast-command' : 'command';
      this.latency.add(event, Math.floor(startMs / 1000), Math.floor(us / 1000));
    }
  }
}
