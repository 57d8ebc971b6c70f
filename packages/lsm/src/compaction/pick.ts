/** The strategies by name, and what is done of their own picks without a job. */
import { LEVEL_FACTOR } from '../limits.js';
import type { TableMeta } from '../version/table-meta.js';
import type { Version } from '../version/version.js';
import { Leveled } from './leveled.js';
import { SizeTiered } from './size-tiered.js';
import {
  type Compaction,
  overlapping,
  type Strategy,
  type StrategyOptions,
  span,
} from './strategy.js';
import { Universal } from './universal.js';

export type StrategyName = Strategy['name'];

export function strategyOf(
  name: StrategyName,
  options: Omit<StrategyOptions, 'levelFactor'>,
): Strategy {
  const all = { ...options, levelFactor: LEVEL_FACTOR };
  if (name === 'leveled') return new Leveled(all);
  return name === 'size-tiered' ? new SizeTiered(all) : new Universal(all);
}

/**
 * The table that only has to change its level: it meets nothing there, and holds nothing that writing it anew
 * could drop.
 */
export function movedTable({ inputs, outputLevel, reason }: Compaction): TableMeta | undefined {
  const tables = inputs.flat();
  if (reason !== 'level-size' || tables.length !== 1) return undefined;
  const [table] = tables;
  return table.level !== outputLevel && table.tombstones + table.rangeTombstones === 0
    ? table
    : undefined;
}

/**
 * Everything that shares a key with `[smallest, largest]` (`undefined`: everything), from all runs, merged into the
 * oldest of them. `undefined` where there is nothing to gain.
 *
 * The range grows until no table reaches out of it, for what stays behind must not be older than what moves.
 */
export function pickManual(
  version: Version,
  strategy: StrategyName,
  bottomLevel: number,
  range: { smallest: Uint8Array; largest: Uint8Array } | undefined,
): Compaction | undefined {
  let inputs = version.runs.map(({ tables }) =>
    range === undefined ? tables : overlapping(tables, range.smallest, range.largest),
  );
  for (let count = 0; range !== undefined; ) {
    const tables = inputs.flat();
    if (tables.length === count) break;
    count = tables.length;
    const { smallest, largest } = span(tables);
    inputs = version.runs.map((run) => overlapping(run.tables, smallest, largest));
  }
  const chosen = inputs.filter((tables) => tables.length > 0);
  const oldest = chosen.at(-1)?.at(0);
  if (oldest === undefined) return undefined;
  const [first] = chosen;
  const level = strategy === 'leveled' ? Math.max(oldest.level, bottomLevel) : oldest.level;
  const idle =
    chosen.length === 1 &&
    oldest.level === level &&
    first.every((table) => table.tombstones + table.rangeTombstones + table.expireMinMs === 0);
  if (idle) return undefined;
  return {
    reason: 'manual',
    inputs: chosen,
    outputLevel: level,
    outputRun: level === 0 ? oldest.run : 0,
    rewriteValueFiles: [],
  };
}
