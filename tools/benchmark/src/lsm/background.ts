/** What flushes, compactions and garbage collection cost those who write meanwhile. */
import { mkdirSync } from 'node:fs';
import { quantile } from '../measure.js';
import { milliseconds, perSecond } from '../table.js';
import { longValue, shuffled } from './keys.js';
import { classicLevel, lsm } from './stores.js';
import { diskBytes, type Report, timed } from './versus.js';

const PRELOADED = 500_000;
const AWAITED = 100_000;
const PAUSE_MS_MAX = 5;

/** The latency of single puts while what was filled before is being put in order. */
export async function pauses(dir: string, report: Report): Promise<void> {
  const order = shuffled(PRELOADED + AWAITED);
  const p999: number[] = [];
  for (const [s, open] of [lsm(), classicLevel].entries()) {
    const path = `${dir}/pauses-${s}`;
    mkdirSync(path);
    const store = await open(path);
    await store.putInFlight({ order, from: 0, to: PRELOADED });
    const latenciesMs = new Float64Array(AWAITED);
    for (let i = 0; i < AWAITED; i++) {
      const from = PRELOADED + i;
      const startMs = performance.now();
      await store.putAwaited({ order, from, to: from + 1 });
      latenciesMs[i] = performance.now() - startMs;
    }
    p999.push(quantile(latenciesMs, 0.999));
    await store.close();
  }
  report({
    name: 'put p99.9 while compacting',
    goal: `< ${PAUSE_MS_MAX} ms`,
    measured: milliseconds(p999[0]),
    reference: `${milliseconds(p999[1])} classic-level`,
    ratio: (p999[0] / p999[1]).toFixed(2),
    met: p999[0] < PAUSE_MS_MAX,
  });
}

const LONG_BYTES = 64 * 1024;
const LONG_KEYS = 1000;
const LONG_WRITES = 6000;

/** Long values, overwritten six times over, with garbage collection on. */
export async function longValues(dir: string, report: Report): Promise<void> {
  const live = LONG_KEYS * LONG_BYTES;
  const rates: number[] = [];
  let space = 0;
  const ours = lsm({ valueLog: { thresholdBytes: 4096 } });
  for (const [s, open] of [ours, classicLevel].entries()) {
    const path = `${dir}/long-${s}`;
    mkdirSync(path);
    const store = await open(path);
    const { count, elapsedMs } = await timed(LONG_WRITES, async () => {
      for (let i = 0; i < LONG_WRITES; i += 10) {
        const puts = Array.from({ length: 10 }, (_, j) =>
          store.putLong(((i + j) * 7919) % LONG_KEYS, longValue(LONG_BYTES, i + j)),
        );
        await Promise.all(puts);
      }
    });
    rates.push((count / elapsedMs) * 1000);
    await store.reopenAtRest();
    if (s === 0) space = diskBytes(path) / live;
    await store.close();
  }
  const ratio = rates[0] / rates[1];
  report({
    name: '64 KB values, overwritten',
    goal: '>= 3x classic-level',
    measured: perSecond(rates[0]),
    reference: perSecond(rates[1]),
    ratio: ratio.toFixed(2),
    met: ratio >= 3,
  });
  report({
    name: 'disk bytes after it',
    goal: '<= 1.5x live data',
    measured: `${((space * live) / 1e6).toFixed(0)} MB`,
    reference: `${(live / 1e6).toFixed(0)} MB live`,
    ratio: space.toFixed(2),
    met: space <= 1.5,
  });
}
