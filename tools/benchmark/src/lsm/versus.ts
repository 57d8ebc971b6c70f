/** Runs the same work on every store in turns, and says how ours does against `classic-level`. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { median, quantile, rateOf, type Sample } from '../measure.js';
import { perSecond, type Row, ratioOf } from '../table.js';
import type { OpenStore, Store } from './store.js';
import { classicLevel, lmdb, lsm } from './stores.js';

export type Report = (row: Row) => void;

/** Ours, the one that goals are stated against, and one more to compare with. */
export const STORES: readonly OpenStore[] = [lsm(), classicLevel, lmdb];
const [OURS, REFERENCE, OTHER] = [0, 1, 2];

/** What one round of a store's work did. */
export type Work = (store: number, round: number) => Promise<Sample>;

export interface Result {
  /** Operations a second of each store, the median of the rounds. */
  rates: readonly number[];
  /** Ours to the reference's: the median of the rounds, and the middle half. */
  ratio: number;
  spread: readonly [number, number];
}

/** Our cursors take some thousand ranges until all of them is compiled; a process that serves has that behind it. */
const WARM_UP_MS = 1500;

/** Rounds of all stores, in an order that turns. Round -1, over and over, warms up where `warmUp` says so. */
export async function inTurns(rounds: number, work: Work, warmUp = true): Promise<Result> {
  const rates: number[][] = STORES.map(() => []);
  for (let store = 0; warmUp && store < STORES.length; store++) {
    for (let elapsedMs = 0; elapsedMs < WARM_UP_MS; )
      elapsedMs += (await work(store, -1)).elapsedMs;
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < STORES.length; turn++) {
      const store = (turn + round) % STORES.length;
      const sample = await work(store, round);
      rates[store].push(rateOf(sample));
    }
  }
  const ratios = rates[OURS].map((rate, i) => rate / rates[REFERENCE][i]);
  return {
    rates: rates.map(median),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}

/** A row about rates; `goal` is the ratio that was stated beforehand. */
export function reportRates(report: Report, name: string, goal: number, result: Result): void {
  const { rates, ratio } = result;
  report({
    name,
    goal: `>= ${goal}x classic-level`,
    measured: perSecond(rates[OURS]),
    reference: `${perSecond(rates[REFERENCE])}; lmdb ${perSecond(rates[OTHER])}`,
    ratio: ratioOf(result),
    met: ratio >= goal,
  });
}

/** A row about an amount that should be small. */
export function reportAmounts(
  report: Report,
  name: string,
  goal: number,
  amounts: readonly number[],
  unit: (amount: number) => string,
): void {
  const ratio = amounts[OURS] / amounts[REFERENCE];
  report({
    name,
    goal: `<= ${goal}x classic-level`,
    measured: unit(amounts[OURS]),
    reference: `${unit(amounts[REFERENCE])}; lmdb ${unit(amounts[OTHER])}`,
    ratio: ratio.toFixed(2),
    met: ratio <= goal,
  });
}

/** Opens one of the stores in a directory of its own under `dir`. */
export async function openStore(dir: string, store: number, name: string): Promise<Store> {
  const path = `${dir}/${store}-${name}`;
  mkdirSync(path, { recursive: true });
  return STORES[store](path);
}

export async function timed(count: number, work: () => Promise<unknown>): Promise<Sample> {
  const startMs = performance.now();
  await work();
  return { count, elapsedMs: performance.now() - startMs };
}

/** Bytes of all files below `dir`. */
export function diskBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = `${dir}/${entry.name}`;
    bytes += entry.isDirectory() ? diskBytes(path) : statSync(path).size;
  }
  return bytes;
}

/** Bytes that this process has given to `write` calls so far; memory maps are not seen (Linux). */
export function writtenBytes(): number {
  const match = /^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'));
  return match === null ? Number.NaN : Number(match[1]);
}
