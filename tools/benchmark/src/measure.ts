/**
 * Measuring on a machine that others use too: what is compared runs in turns within one process,
 * many times, and the median of the pairs' ratios counts.
 */

import { setTimeout } from 'node:timers/promises';

/** One side of a comparison: does its work for about `ms` and returns how much it did. */
export type Load = (ms: number) => Promise<Sample>;

export interface Sample {
  /** Operations done. */
  count: number;
  elapsedMs: number;
  /** Of single operations, in ms, where they were taken. */
  latenciesMs?: Float64Array;
}

export interface Pairs {
  /** Operations a second: medians of the rounds. */
  ours: number;
  reference: number;
  /** Median of the pairs' ratios, ours to reference. */
  ratio: number;
  /** Between these lies the middle half of the ratios. */
  spread: readonly [number, number];
  /** Ours and the reference's, pair by pair. */
  samples: readonly (readonly [Sample, Sample])[];
}

/** Short, so that both sides of a pair meet the same noise; many, so that the median is one. */
export const PAIRS = 41;
export const PAIR_MS = 40;

/**
 * Runs both sides in turns, ours, reference, reference, ours and so on, after a round that does not
 * count. `warmUpMs`: how long that is for each side; compilers need a while. `restMs`: before each
 * round, so that neither meets what the other has left to the disk, and the log can prepare room as
 * the raw file's was prepared.
 */
export async function comparePairs(
  ours: Load,
  reference: Load,
  { pairs = PAIRS, pairMs = PAIR_MS, warmUpMs = 500, restMs = 0 } = {},
): Promise<Pairs> {
  await reference(warmUpMs);
  await ours(warmUpMs);
  const ourSamples: Sample[] = [];
  const referenceSamples: Sample[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Whoever goes second may profit: the order alternates.
    const order = pair % 2 === 0 ? [reference, ours] : [ours, reference];
    for (const side of order) {
      if (restMs > 0) await setTimeout(restMs);
      const sample = await side(pairMs);
      (side === ours ? ourSamples : referenceSamples).push(sample);
    }
  }
  const ratios = ourSamples.map((sample, i) => rateOf(sample) / rateOf(referenceSamples[i]));
  return {
    ours: median(ourSamples.map(rateOf)),
    reference: median(referenceSamples.map(rateOf)),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    samples: ourSamples.map((sample, i) => [sample, referenceSamples[i]]),
  };
}

/** Operations a second. */
export function rateOf({ count, elapsedMs }: Sample): number {
  return (count / elapsedMs) * 1000;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of `values` lies; `share` from 0 to 1. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Repeats `step` until `ms` have passed; each call does `countPerStep` operations. */
export async function repeatFor(
  ms: number,
  countPerStep: number,
  step: () => void | Promise<void>,
): Promise<Sample> {
  const startMs = performance.now();
  let count = 0;
  let elapsedMs = 0;
  do {
    const done = step();
    if (done) await done;
    count += countPerStep;
    elapsedMs = performance.now() - startMs;
  } while (elapsedMs < ms);
  return { count, elapsedMs };
}
