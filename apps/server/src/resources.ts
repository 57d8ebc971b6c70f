/**
 * What the process uses: CPU, memory, and how late the event loop runs.
 *
 * The lag histogram samples on a native timer, so that measuring costs the loop nothing; CPU is
 * given as totals and as a share of one core since the look before.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { LOOP_LAG_RESOLUTION_MS } from './limits.js';

const NS_PER_MS = 1e6;
const US_PER_MS = 1e3;

export interface ResourceStatus {
  cpu_user_ms: number;
  cpu_system_ms: number;
  /** CPU time over wall time since the last look; above 1 when threads help. */
  cpu_share: number;
  rss_bytes: number;
  heap_used_bytes: number;
  heap_total_bytes: number;
  external_bytes: number;
  array_buffers_bytes: number;
  /** How much later than asked timers ran, since the start, in ms. */
  event_loop_lag_mean_ms: number;
  event_loop_lag_p99_ms: number;
  event_loop_lag_max_ms: number;
}

export class Resources {
  readonly #lag: IntervalHistogram;
  #lastCpuMs = 0;
  #lastWallMs: number;

  constructor() {
    this.#lag = monitorEventLoopDelay({ resolution: LOOP_LAG_RESOLUTION_MS });
    this.#lag.enable();
    this.#lastWallMs = performance.now();
  }

  status(): ResourceStatus {
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const wallMs = performance.now();
    const cpuMs = (cpu.user + cpu.system) / US_PER_MS;
    const share = (cpuMs - this.#lastCpuMs) / Math.max(1, wallMs - this.#lastWallMs);
    this.#lastCpuMs = cpuMs;
    this.#lastWallMs = wallMs;
    return {
      cpu_user_ms: Math.round(cpu.user / US_PER_MS),
      cpu_system_ms: Math.round(cpu.system / US_PER_MS),
      cpu_share: round(share),
      rss_bytes: memory.rss,
      heap_used_bytes: memory.heapUsed,
      heap_total_bytes: memory.heapTotal,
      external_bytes: memory.external,
      array_buffers_bytes: memory.arrayBuffers,
      event_loop_lag_mean_ms: lagMs(this.#lag.mean),
      event_loop_lag_p99_ms: lagMs(this.#lag.percentile(99)),
      event_loop_lag_max_ms: lagMs(this.#lag.max),
    };
  }

  close(): void {
    this.#lag.disable();
  }
}

/** The histogram holds whole intervals; what exceeds the interval asked for is the lag. */
function lagMs(intervalNs: number): number {
  return round(Math.max(0, (intervalNs || 0) / NS_PER_MS - LOOP_LAG_RESOLUTION_MS));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
