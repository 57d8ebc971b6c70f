/** Reads from tables, after a reopen: no store has the entries in its memtable. */
import { shuffled } from './keys.js';
import type { Slice, Store } from './store.js';
import { inTurns, openStore, type Report, reportRates, STORES, timed } from './versus.js';

const ROUNDS = 15;
const PIECE = 20_000;
const RANGES = 400;

async function filled(dir: string, count: number): Promise<Store[]> {
  const order = shuffled(count);
  const stores: Store[] = [];
  for (let store = 0; store < STORES.length; store++) {
    const opened = await openStore(dir, store, `read-${count}`);
    await opened.putInFlight({ order, from: 0, to: count });
    await opened.reopenAtRest();
    stores.push(opened);
  }
  return stores;
}

/** Expects what a store has found to be what is there. */
function check(found: number, expected: number, store: Store): void {
  if (found === expected) return;
  throw new Error(`expected ${store.name} to find ${expected} entries, got ${found}`);
}

function piece(order: Uint32Array, round: number, length: number): Slice {
  const pieces = Math.floor(order.length / length);
  const from = ((round + 1) % pieces) * length;
  return { order, from, to: from + length };
}

/** 200,000 keys, which all caches hold. */
export async function small(dir: string, report: Report): Promise<void> {
  const count = 200_000;
  const stores = await filled(dir, count);
  const order = shuffled(count).reverse();
  for (const store of stores) check(store.get({ order, from: 0, to: count }), count, store);
  const random = await inTurns(ROUNDS, (s, round) =>
    timed(PIECE, async () => check(stores[s].get(piece(order, round, PIECE)), PIECE, stores[s])),
  );
  reportRates(report, 'readrandom, 200 k', 1.5, random);
  const missing = await inTurns(ROUNDS, (s, round) =>
    timed(PIECE, async () => check(stores[s].getMissing(piece(order, round, PIECE)), 0, stores[s])),
  );
  reportRates(report, 'readmissing', 1.5, missing);
  const hot = Uint32Array.from({ length: PIECE }, (_, i) => order[(i * 7919) % (count / 100)]);
  const hotSlice = { order: hot, from: 0, to: PIECE };
  const hottest = await inTurns(ROUNDS, (s) =>
    timed(PIECE, async () => check(stores[s].get(hotSlice), PIECE, stores[s])),
  );
  reportRates(report, 'readhot, 1 %', 1.3, hottest);
  const sequential = await inTurns(9, (s) =>
    timed(count, async () => check(await stores[s].walk(), count, stores[s])),
  );
  reportRates(report, 'readseq', 2, sequential);
  const starts = order.filter((i) => i < count - 100);
  const ranges = await inTurns(ROUNDS, (s, round) =>
    timed(RANGES, async () =>
      check(await stores[s].ranges(piece(starts, round, RANGES)), RANGES * 100, stores[s]),
    ),
  );
  reportRates(report, 'range of 100', 4, ranges);
  for (const store of stores) await store.close();
}

/** A million keys: twice what the caches hold. */
export async function large(dir: string, report: Report): Promise<void> {
  const count = 1_000_000;
  const stores = await filled(dir, count);
  const order = shuffled(count).reverse();
  const random = await inTurns(ROUNDS, (s, round) =>
    timed(PIECE, async () => check(stores[s].get(piece(order, round, PIECE)), PIECE, stores[s])),
  );
  reportRates(report, 'readrandom, 1 M', 1.2, random);
  for (const store of stores) await store.close();
}
