/**
 * Universal compaction (RocksDB): one list of runs by age, merged so that space, reads and the number of runs
 * stay bounded. Between leveled and size-tiered in all three costs.
 *
 * In this order:
 *  1. space    what is newer than the oldest run weighs more than `SPACE_PERCENT_MAX` of it: merge all;
 *  2. ratio    from the newest on, runs join while the next one is not larger than what has joined by more
 *              than `RATIO_PERCENT`; at least two;
 *  3. count    still too many runs: the newest ones are merged until there are few enough.
 */
import { weightBytes } from '../version/table-meta.js';
import type { Version } from '../version/version.js';
import {
  type Compaction,
  mergeRuns,
  type Strategy,
  type StrategyOptions,
  totalBytes,
} from './strategy.js';

/** Space may be at most so much more than the oldest run, in per cent. */
const SPACE_PERCENT_MAX = 100;
/** How much larger than what was joined the next run may be, in per cent. */
const RATIO_PERCENT = 1;

export class Universal implements Strategy {
  readonly name = 'universal';
  readonly #runsMax: number;

  constructor({ level0RunsCompact }: StrategyOptions) {
    this.#runsMax = Math.max(2, level0RunsCompact);
  }

  pick(version: Version): Compaction | undefined {
    const { runs } = version;
    if (runs.length < this.#runsMax) return undefined;
    const sizes = runs.map(({ tables }) => totalBytes(tables));
    const oldest = sizes[sizes.length - 1];
    const newer = sizes.reduce((sum, bytes) => sum + bytes, 0) - oldest;
    if (newer * 100 > oldest * SPACE_PERCENT_MAX) return mergeRuns('space', runs);
    let joined = sizes[0];
    let to = 1;
    while (to < runs.length && sizes[to] * 100 <= joined * (100 + RATIO_PERCENT)) {
      joined += sizes[to++];
    }
    if (to >= 2) return mergeRuns('size-ratio', runs.slice(0, to));
    return mergeRuns('run-count', runs.slice(0, runs.length - this.#runsMax + 2));
  }

  debtBytes(version: Version): number {
    const pick = this.pick(version);
    if (pick === undefined) return 0;
    return pick.inputs.flat().reduce((bytes, table) => bytes + weightBytes(table), 0);
  }
}
