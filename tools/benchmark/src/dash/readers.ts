/** Reading threads: what two do together, beside one. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { median, quantile } from '../measure.js';
import { perSecond, type Row, ratioOf } from '../table.js';
import { dash } from './stores.js';

const COUNT = 1_000_000;
const ROUNDS = 7;
const RUN_MS = 700;

export async function readers(_dir: string, report: (row: Row) => void): Promise<void> {
  const store = dash();
  for (let i = 0; i < COUNT; i++) store.put(i, 1);
  const threads = [0, 1].map((number) => {
    const { handle, transfer } = store.table.share();
    return new Worker(new URL('./reader-thread.js', import.meta.url), {
      workerData: { handle, count: COUNT, number },
      transferList: transfer as never,
    });
  });
  const run = async (those: readonly Worker[]) => {
    const done = those.map(async (thread) => (await once(thread, 'message'))[0] as number);
    for (const thread of those) thread.postMessage(RUN_MS);
    return (await Promise.all(done)).reduce((sum, rate) => sum + rate, 0);
  };
  await run(threads);
  const both: number[] = [];
  const one: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    one.push(await run([threads[round % 2]]));
    both.push(await run(threads));
  }
  await Promise.all(threads.map((thread) => thread.terminate()));
  const ratios = both.map((rate, i) => rate / one[i]);
  const ratio = median(ratios);
  report({
    name: `two reading threads, ${availableParallelism()} cores shared with others`,
    goal: '>= 1.7 of one',
    measured: perSecond(median(both)),
    reference: `${perSecond(median(one))}, one thread`,
    ratio: ratioOf({ ratio, spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)] }),
    met: ratio >= 1.7,
  });
}
