/**
 * Size-tiered compaction: runs of about the same size are merged into one of the next size. Fewest writes,
 * most space (Cassandra's STCS, but that only runs next to each other in age are merged, so that the order of
 * ages holds).
 *
 *     newest   [1][1][1][1]  [4][4][4]  [16]   oldest        four of a size: merge them
 *
 * The newest group that is full goes first: its runs cost the most reads for the least work.
 */
import { weightBytes } from '../version/table-meta.js';
import type { Run, Version } from '../version/version.js';
import {
  type Compaction,
  mergeRuns,
  type Strategy,
  type StrategyOptions,
  totalBytes,
} from './strategy.js';

/** Runs are of one size while the largest is at most so many times the smallest. */
const SIZE_SPREAD = 2;
/** Runs that are merged at once at most: each costs a cursor. */
const RUNS_MAX = 32;

export class SizeTiered implements Strategy {
  readonly name = 'size-tiered';
  readonly #runsMin: number;

  constructor({ level0RunsCompact }: StrategyOptions) {
    this.#runsMin = Math.max(2, level0RunsCompact);
  }

  pick(version: Version): Compaction | undefined {
    const runs = version.runs;
    for (let from = 0; from + this.#runsMin <= runs.length; from++) {
      const to = endOfTier(runs, from);
      if (to - from >= this.#runsMin) return mergeRuns('size-tier', runs.slice(from, to));
    }
    return undefined;
  }

  debtBytes(version: Version): number {
    const pick = this.pick(version);
    if (pick === undefined) return 0;
    return pick.inputs.flat().reduce((bytes, table) => bytes + weightBytes(table), 0);
  }
}

/** The end of the longest group of runs of one size that begins at `from`. */
function endOfTier(runs: readonly Run[], from: number): number {
  let smallest = totalBytes(runs[from].tables);
  let largest = smallest;
  let to = from + 1;
  for (; to < runs.length && to - from < RUNS_MAX; to++) {
    const bytes = totalBytes(runs[to].tables);
    smallest = Math.min(smallest, bytes);
    largest = Math.max(largest, bytes);
    if (largest > smallest * SIZE_SPREAD) break;
  }
  return to;
}
