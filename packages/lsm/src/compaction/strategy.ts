/**
 * What a compaction strategy is: a pure function from the shape of the tree to the next piece of work.
 *
 * Invariants
 *  1. Inputs that come from several runs are neighbours in age: nothing that stays lies between them, so
 *     what is written takes their place and the order of ages holds.
 *  2. A strategy reads no clock and throws no dice: the same tree gives the same pick.
 */
import { compareKeys } from '../order.js';
import { type TableMeta, weightBytes } from '../version/table-meta.js';
import type { Run, Version } from '../version/version.js';

/** Why a compaction runs. */
export type CompactionReason =
  | 'level-0-runs'
  | 'level-size'
  | 'tombstones'
  | 'expiry'
  | 'value-garbage'
  | 'size-ratio'
  | 'size-tier'
  | 'space'
  | 'run-count'
  | 'key-rotation'
  | 'manual';

/** A piece of work. */
export interface Compaction {
  reason: CompactionReason;
  /** What is merged, newest first; each is a run or a part of one. */
  inputs: readonly (readonly TableMeta[])[];
  outputLevel: number;
  /** The run of level 0 that the output is; 0 elsewhere. */
  outputRun: number;
  /** Value files whose values are written anew, so that the files go. */
  rewriteValueFiles: readonly number[];
}

/** The numbers that strategies work with. */
export interface StrategyOptions {
  /** Runs in level 0 at which it is compacted. */
  level0RunsCompact: number;
  levelBaseBytes: number;
  levelFactor: number;
}

export interface Strategy {
  readonly name: 'leveled' | 'size-tiered' | 'universal';
  /** The most urgent piece of work; `undefined` where the tree is in shape. */
  pick(version: Version): Compaction | undefined;
  /** How many bytes have to be written to bring the tree in shape, estimated. */
  debtBytes(version: Version): number;
}

/** The tables of a run that share a key with `[smallest, largest]`, both inclusive. O(log n) and what it returns. */
export function overlapping(
  run: readonly TableMeta[],
  smallest: Uint8Array,
  largest: Uint8Array,
): readonly TableMeta[] {
  const from = firstIndex(run, (table) => compareKeys(table.largest, smallest) >= 0);
  const to = firstIndex(run, (table) => compareKeys(table.smallest, largest) > 0);
  return run.slice(from, Math.max(from, to));
}

/** The index of the first table for which `holds`, which then holds for all behind it. */
function firstIndex(run: readonly TableMeta[], holds: (table: TableMeta) => boolean): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(run[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The smallest and the largest key of some tables, of which there is at least one. */
export function span(tables: readonly TableMeta[]): { smallest: Uint8Array; largest: Uint8Array } {
  let { smallest, largest } = tables[0];
  for (const table of tables) {
    if (compareKeys(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareKeys(table.largest, largest) > 0) largest = table.largest;
  }
  return { smallest, largest };
}

/** What tables weigh together, in bytes, the values that they refer to included. */
export function totalBytes(tables: readonly TableMeta[]): number {
  let bytes = 0;
  for (const table of tables) bytes += weightBytes(table);
  return bytes;
}

/**
 * A compaction of neighbouring runs into one: of level 0, in the place of the newest; where a leveled tree
 * left only deeper runs to merge, the deepest of their levels.
 */
export function mergeRuns(reason: CompactionReason, runs: readonly Run[]): Compaction {
  const newest = runs[0];
  return {
    reason,
    inputs: runs.map(({ tables }) => tables),
    outputLevel: newest.level === 0 ? 0 : runs[runs.length - 1].level,
    outputRun: newest.run,
    rewriteValueFiles: [],
  };
}

/** A table written anew in its place. */
export function rewriteTable(
  reason: CompactionReason,
  table: TableMeta,
  rewriteValueFiles: readonly number[] = [],
): Compaction {
  return {
    reason,
    inputs: [[table]],
    outputLevel: table.level,
    outputRun: table.run,
    rewriteValueFiles,
  };
}
