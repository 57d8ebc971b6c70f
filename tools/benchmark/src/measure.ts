/**
 * Measuring on a machine that others use too: what is compared runs in turns within one process,
 * many times, and the median of the pairs' ratios counts.
 */

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
  /** Median of the rounds' ratios, ours to reference. */
  ratio: number;
  samples: Sample[];
}

export const ROUNDS = 7;
export const ROUND_MS = 400;

/** Runs both sides in turns, after one round that does not count. */
export async function comparePairs(
  ours: Load,
  reference: Load,
  rounds = ROUNDS,
  roundMs = ROUND_MS,
): Promise<Pairs> {
  await reference(roundMs / 4);
  await ours(roundMs / 4);
  const ourRates: number[] = [];
  const referenceRates: number[] = [];
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    // Whoever goes second may profit: the order alternates.
    const order = round % 2 === 0 ? [reference, ours] : [ours, reference];
    for (const side of order) {
      const sample = await side(roundMs);
      (side === ours ? ourRates : referenceRates).push(rateOf(sample));
      if (side === ours) samples.push(sample);
    }
  }
  return {
    ours: median(ourRates),
    reference: median(referenceRates),
    ratio: median(ourRates.map((rate, round) => rate / referenceRates[round])),
    samples,
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
