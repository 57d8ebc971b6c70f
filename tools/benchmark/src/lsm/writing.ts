/** Writes: into new stores, over what is there, awaited, in batches, synced. */
import { rmSync } from 'node:fs';
import { shuffled } from './keys.js';
import { BATCH } from './store.js';
import {
  diskBytes,
  inTurns,
  openStore,
  type Report,
  reportAmounts,
  reportRates,
  STORES,
  timed,
  writtenBytes,
} from './versus.js';

const MILLION = 1_000_000;
const FILL_ROUNDS = 3;

/** A million keys in random order, then all of them again; and what is on disk after it. */
export async function fill(dir: string, report: Report): Promise<void> {
  const order = shuffled(MILLION);
  const whole = { order, from: 0, to: MILLION };
  const disk: number[] = [];
  const written: number[] = [];
  const first = await inTurns(
    FILL_ROUNDS,
    async (store, round) => {
      const before = writtenBytes();
      const opened = await openStore(dir, store, `fill-${round}`);
      const sample = await timed(MILLION, () => opened.putInFlight(whole));
      await opened.reopenAtRest();
      written[store] = writtenBytes() - before;
      disk[store] = diskBytes(opened.dir);
      await opened.close();
      if (round + 1 < FILL_ROUNDS) rmSync(opened.dir, { recursive: true });
      return sample;
    },
    false,
  );
  reportRates(report, 'fillrandom, 1 M in flight', 2, first);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  reportAmounts(report, 'disk bytes after it', 1.1, disk, megabytes);
  reportAmounts(report, 'bytes written for it', 1.1, written, megabytes);
  const stores = await Promise.all(
    STORES.map((_, store) => openStore(dir, store, `fill-${FILL_ROUNDS - 1}`)),
  );
  const again = shuffled(MILLION).reverse();
  const overwrite = await inTurns(
    2,
    (store) =>
      timed(MILLION, () => stores[store].putInFlight({ order: again, from: 0, to: MILLION })),
    false,
  );
  reportRates(report, 'overwrite, 1 M in flight', 2, overwrite);
  for (const store of stores) await store.close();
}

/** One put at a time, and batches of a hundred. */
export async function awaited(dir: string, report: Report): Promise<void> {
  const order = shuffled(MILLION);
  const stores = await Promise.all(STORES.map((_, store) => openStore(dir, store, 'awaited')));
  const single = await inTurns(9, (store, round) => {
    const from = (round + 1) * 5000;
    return timed(5000, () => stores[store].putAwaited({ order, from, to: from + 5000 }));
  });
  reportRates(report, 'one awaited put', 5, single);
  const batches = await inTurns(9, (store, round) => {
    const from = 100_000 + (round + 1) * 300 * BATCH;
    const slice = { order, from, to: from + 300 * BATCH };
    return timed(300 * BATCH, () => stores[store].putBatches(slice));
  });
  reportRates(report, 'fillbatch, 100 a batch', 1, batches);
  for (const store of stores) await store.close();
}

/** Puts that are synced: alone, and 64 at a time. */
export async function synced(dir: string, report: Report): Promise<void> {
  const order = shuffled(MILLION);
  const stores = await Promise.all(STORES.map((_, store) => openStore(dir, store, 'synced')));
  for (const [writers, count, goal] of [
    [1, 300, 1],
    [64, 64 * 60, 10],
  ]) {
    const result = await inTurns(9, (store, round) => {
      const from = (round + 1) * count;
      return timed(count, () =>
        stores[store].putSynced({ order, from, to: from + count }, writers),
      );
    });
    reportRates(report, `fillsync, ${writers} writer${writers > 1 ? 's' : ''}`, goal, result);
  }
  for (const store of stores) await store.close();
}
