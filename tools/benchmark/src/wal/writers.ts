/** Programs that append and wait. */
import type { Wal } from '@nendb/wal';
import type { Load } from '../measure.js';

/** `count` writers that each append, wait, and append again; takes the time of each append. */
export function writers(wal: Wal, count: number, value: Buffer): Load {
  return async (ms) => {
    const latencies: number[] = [];
    const startMs = performance.now();
    const writer = async () => {
      for (let at = performance.now(); at - startMs < ms; ) {
        await wal.append(value);
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    await Promise.all(Array.from({ length: count }, writer));
    const elapsedMs = performance.now() - startMs;
    return { count: latencies.length, elapsedMs, latenciesMs: Float64Array.from(latencies) };
  };
}
