/**
 * What the tree consisted of at one moment: sorted runs of tables, and value files. Immutable.
 *
 *     level 0      run 9: [a..z]   run 7: [c..k][m..t]   ...       newest first; runs overlap
 *     level 1..6   one run each                                     older, the deeper
 *
 * Invariants
 *  1. For every key: whatever a newer run holds is newer than whatever an older run holds.
 *  2. Tables of one run ascend and do not overlap.
 *  3. A file stays on disk while a version that names it is pinned.
 */

import { LEVELS_MAX } from '../limits.js';
import { compareKeys } from '../order.js';
import type { TableMeta, ValueFileMeta } from './table-meta.js';

/** Tables that do not overlap, ascending. */
export interface Run {
  /** 0, or the number of a run in level 0: higher is newer. */
  readonly run: number;
  readonly level: number;
  readonly tables: readonly TableMeta[];
}

export class Version {
  /** Every run that has a table, newest first: those of level 0, then the levels. */
  readonly runs: readonly Run[];
  readonly tables: ReadonlyMap<number, TableMeta>;
  readonly valueFiles: ReadonlyMap<number, ValueFileMeta>;
  /** The runs of level 0, newest first. */
  readonly level0: readonly Run[];
  /** Tables that have range tombstones. */
  readonly withRangeTombstones: readonly TableMeta[];
  #liveValueBytes: Map<number, number> | undefined;

  constructor(
    tables: ReadonlyMap<number, TableMeta>,
    valueFiles: ReadonlyMap<number, ValueFileMeta>,
  ) {
    this.tables = tables;
    this.valueFiles = valueFiles;
    this.runs = runsOf(tables.values());
    this.level0 = this.runs.filter(({ level }) => level === 0);
    this.withRangeTombstones = [...tables.values()].filter((table) => table.rangeTombstones > 0);
  }

  /** The tables of a level from 1 on. */
  level(level: number): readonly TableMeta[] {
    return this.runs.find((run) => run.level === level)?.tables ?? [];
  }

  /** For each value file the bytes that tables refer to. */
  get liveValueBytes(): ReadonlyMap<number, number> {
    if (this.#liveValueBytes === undefined) {
      const live = new Map<number, number>();
      for (const number of this.valueFiles.keys()) live.set(number, 0);
      for (const { valueRefs } of this.tables.values()) {
        for (const { file, bytes } of valueRefs) live.set(file, (live.get(file) ?? 0) + bytes);
      }
      this.#liveValueBytes = live;
    }
    return this.#liveValueBytes;
  }
}

function runsOf(tables: Iterable<TableMeta>): Run[] {
  const level0 = new Map<number, TableMeta[]>();
  const levels: TableMeta[][] = Array.from({ length: LEVELS_MAX }, () => []);
  for (const table of tables) {
    if (table.level > 0) {
      levels[table.level].push(table);
      continue;
    }
    const run = level0.get(table.run);
    if (run === undefined) level0.set(table.run, [table]);
    else run.push(table);
  }
  const runs: Run[] = [...level0]
    .sort(([a], [b]) => b - a)
    .map(([run, tables]) => ({ run, level: 0, tables: ascending(tables) }));
  levels.forEach((tables, level) => {
    if (tables.length > 0) runs.push({ run: 0, level, tables: ascending(tables) });
  });
  return runs;
}

function ascending(tables: TableMeta[]): TableMeta[] {
  return tables.sort((a, b) => compareKeys(a.smallest, b.smallest));
}
