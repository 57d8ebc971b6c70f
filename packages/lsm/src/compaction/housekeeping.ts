/**
 * Work that every strategy has in common, less urgent than keeping the tree in shape.
 *
 *     value-garbage   more than a quarter of the value log is garbage: the file with the largest share is emptied,
 *                     one table that refers to it at a time
 *     tombstones      a table of the oldest data is more than half tombstones that nobody needs any more
 *     expiry          a table's first entry has expired for a while: it is written anew without
 *     key-rotation    a table or value file is sealed with another key than the active one
 *
 * Invariant: each pick, once done, takes away its own reason; so housekeeping ends.
 */
import { EXPIRY_GRACE_MS, VALUE_GARBAGE_SHARE_MAX } from '../limits.js';
import { livenessOf } from '../value-log/liveness.js';
import type { TableMeta } from '../version/table-meta.js';
import type { Version } from '../version/version.js';
import { type Compaction, overlapping, rewriteTable } from './strategy.js';

/** What housekeeping has to know beside the tree. */
export interface HousekeepingFacts {
  nowMs: number;
  /** The oldest sequence number that somebody reads at; infinite where nobody does. */
  oldestSnapshot: number;
  /** The key that every file is to have, -1 in the clear; `undefined` where older ones may stay. */
  activeKeyId: number | undefined;
}

/** The next piece of housekeeping; `undefined` where there is none. */
export function pickHousekeeping(
  version: Version,
  facts: HousekeepingFacts,
): Compaction | undefined {
  return (
    pickGarbage(version) ??
    pickTombstones(version, facts) ??
    pickExpired(version, facts) ??
    pickOldKey(version, facts)
  );
}

/** Value files of which so much is garbage that they are worth emptying. */
export function filesWithGarbage(version: Version): number[] {
  const files = livenessOf(version.valueFiles.values(), version.tables.values());
  let records = 0;
  let garbage = 0;
  for (const { recordBytes, garbageBytes } of files) {
    records += recordBytes;
    garbage += garbageBytes;
  }
  if (garbage <= records * VALUE_GARBAGE_SHARE_MAX) return [];
  return files
    .filter((file) => file.garbageBytes > file.recordBytes * VALUE_GARBAGE_SHARE_MAX)
    .map(({ number }) => number);
}

function pickGarbage(version: Version): Compaction | undefined {
  if (version.valueFiles.size === 0) return undefined;
  const worst = filesWithGarbage(version);
  for (const file of worst) {
    const table = referrer(version, file);
    if (table === undefined) continue;
    const refers = new Set(table.valueRefs.map((ref) => ref.file));
    return rewriteTable(
      'value-garbage',
      table,
      worst.filter((number) => refers.has(number)),
    );
  }
  return undefined;
}

function pickTombstones(version: Version, facts: HousekeepingFacts): Compaction | undefined {
  for (const table of version.tables.values()) {
    const { tombstones, rangeTombstones, entries, sequenceMax } = table;
    if (tombstones * 2 <= entries && (rangeTombstones === 0 || tombstones < entries)) continue;
    if (tombstones + rangeTombstones === 0 || sequenceMax > facts.oldestSnapshot) continue;
    if (isOldest(version, table)) return rewriteTable('tombstones', table);
  }
  return undefined;
}

function pickExpired(version: Version, { nowMs }: HousekeepingFacts): Compaction | undefined {
  for (const table of version.tables.values()) {
    if (table.expireMinMs === 0 || table.expireMinMs + EXPIRY_GRACE_MS > nowMs) continue;
    return rewriteTable('expiry', table);
  }
  return undefined;
}

function pickOldKey(version: Version, { activeKeyId }: HousekeepingFacts): Compaction | undefined {
  if (activeKeyId === undefined) return undefined;
  for (const table of version.tables.values()) {
    const files = table.valueRefs
      .map(({ file }) => file)
      .filter((file) => version.valueFiles.get(file)?.keyId !== activeKeyId);
    if (table.keyId === activeKeyId && files.length === 0) continue;
    return rewriteTable('key-rotation', table, files);
  }
  return undefined;
}

function referrer(version: Version, file: number): TableMeta | undefined {
  for (const table of version.tables.values()) {
    if (table.valueRefs.some((ref) => ref.file === file)) return table;
  }
  return undefined;
}

/** Whether no older run shares a key with `table`. */
function isOldest({ runs }: Version, { level, run, smallest, largest }: TableMeta): boolean {
  const own = runs.findIndex((each) => each.level === level && each.run === run);
  return runs
    .slice(own + 1)
    .every(({ tables }) => overlapping(tables, smallest, largest).length === 0);
}

/** All tables of runs that are older than every one of `inputs`, and of none of these runs. */
export function olderTables(
  version: Version,
  inputs: readonly (readonly TableMeta[])[],
): TableMeta[] {
  const numbers = new Set(inputs.flat().map(({ number }) => number));
  let oldest = -1;
  version.runs.forEach((run, i) => {
    if (run.tables.some(({ number }) => numbers.has(number))) oldest = i;
  });
  return version.runs.slice(oldest + 1).flatMap(({ tables }) => tables);
}
