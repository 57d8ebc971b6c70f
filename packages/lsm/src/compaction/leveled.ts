/**
 * Leveled compaction with dynamic level sizes: least space, most writes.
 *
 *     level 0   runs, one a flush
 *     base      target <= base bytes          level 0 is merged into this one
 *     ...       each `factor` times the one above
 *     level 6   whatever there is
 *
 * The targets follow from what the last level holds, so the last level always has about nine tenths of
 * everything, and space stays near 1.11 times the live data (RocksDB's `level_compaction_dynamic_level_bytes`).
 *
 * Tables that are mostly tombstones, or hold range tombstones, go down when nothing else is due.
 *
 * Priority is by score: what a level holds over its target; level 0 counts its runs. Within a level the
 * table goes first that overlaps the least of the next level for its size; ties by key.
 */
import { LEVELS_MAX } from '../limits.js';
import type { TableMeta } from '../version/table-meta.js';
import { weightBytes } from '../version/table-meta.js';
import type { Version } from '../version/version.js';
import {
  type Compaction,
  type CompactionReason,
  overlapping,
  type Strategy,
  type StrategyOptions,
  span,
  totalBytes,
} from './strategy.js';

const LAST = LEVELS_MAX - 1;

/** The target of each level, in bytes; level 0 has none, levels above `base` are empty. */
export interface LevelTargets {
  base: number;
  bytes: readonly number[];
}

/** What each level may hold. */
export function levelTargets(version: Version, options: StrategyOptions): LevelTargets {
  const bytes = new Array<number>(LEVELS_MAX).fill(0);
  let deepest = totalBytes(version.level(LAST));
  for (let level = 1; level < LAST; level++) {
    deepest = Math.max(deepest, totalBytes(version.level(level)));
  }
  let target = Math.max(deepest, options.levelBaseBytes);
  let base = LAST;
  bytes[LAST] = Number.POSITIVE_INFINITY;
  for (let level = LAST - 1; level >= 1 && target > options.levelBaseBytes; level--) {
    target /= options.levelFactor;
    bytes[level] = Math.max(target, options.levelBaseBytes / options.levelFactor);
    base = level;
  }
  // A level that still holds something must be emptied through the base, not around it.
  for (let level = 1; level < base; level++) if (version.level(level).length > 0) base = level;
  return { base, bytes };
}

export class Leveled implements Strategy {
  readonly name = 'leveled';
  readonly #options: StrategyOptions;

  constructor(options: StrategyOptions) {
    this.#options = options;
  }

  pick(version: Version): Compaction | undefined {
    const targets = levelTargets(version, this.#options);
    const runs = version.level0.length;
    let best = runs / this.#options.level0RunsCompact;
    let from = 0;
    for (let level = 1; level < LAST; level++) {
      const score = this.#score(version, level, targets);
      if (score <= best || score <= 1) continue;
      best = score;
      from = level;
    }
    if (from > 0) return this.#fromLevel(version, from);
    return runs >= this.#options.level0RunsCompact
      ? this.#fromLevel0(version, targets.base)
      : this.#tombstonesDown(version);
  }

  debtBytes(version: Version): number {
    const targets = levelTargets(version, this.#options);
    let debt = 0;
    if (version.level0.length >= this.#options.level0RunsCompact) {
      for (const { tables } of version.level0) debt += totalBytes(tables);
    }
    for (let level = 1; level < LAST; level++) {
      debt += Math.max(0, totalBytes(version.level(level)) - targets.bytes[level]);
    }
    return debt;
  }

  #score(version: Version, level: number, { bytes }: LevelTargets): number {
    const held = totalBytes(version.level(level));
    if (held === 0) return 0;
    return bytes[level] === 0 ? Number.POSITIVE_INFINITY : held / bytes[level];
  }

  /** All of level 0, and what it overlaps in the base level. */
  #fromLevel0(version: Version, base: number): Compaction {
    const runs = version.level0.map(({ tables }) => tables);
    const { smallest, largest } = span(runs.flat());
    const below = overlapping(version.level(base), smallest, largest);
    return {
      reason: 'level-0-runs',
      inputs: below.length > 0 ? [...runs, below] : runs,
      outputLevel: base,
      outputRun: 0,
      rewriteValueFiles: [],
    };
  }

  #fromLevel(version: Version, level: number): Compaction | undefined {
    const next = version.level(level + 1);
    let best: TableMeta | undefined;
    let bestRatio = Number.POSITIVE_INFINITY;
    let below: readonly TableMeta[] = [];
    for (const table of version.level(level)) {
      const overlap = overlapping(next, table.smallest, table.largest);
      const ratio = totalBytes(overlap) / weightBytes(table);
      if (best !== undefined && ratio >= bestRatio) continue;
      best = table;
      bestRatio = ratio;
      below = overlap;
    }
    return best && intoNext('level-size', best, below);
  }

  /** Tables that hide much bring it nearer to what they hide: a queue would else grow for ever. */
  #tombstonesDown(version: Version): Compaction | undefined {
    for (let level = 1; level < LAST; level++) {
      for (const table of version.level(level)) {
        if (table.rangeTombstones === 0 && table.tombstones * 2 <= table.entries) continue;
        const below = overlapping(version.level(level + 1), table.smallest, table.largest);
        return intoNext('tombstones', table, below);
      }
    }
    return undefined;
  }
}

/** A table merged into what it overlaps one level further down. */
function intoNext(
  reason: CompactionReason,
  table: TableMeta,
  below: readonly TableMeta[],
): Compaction {
  return {
    reason,
    inputs: below.length > 0 ? [[table], below] : [[table]],
    outputLevel: table.level + 1,
    outputRun: 0,
    rewriteValueFiles: [],
  };
}
