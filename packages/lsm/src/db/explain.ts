/** Where a look-up goes, step by step: for people who ask why a key is (not) there, or why a read is slow. */
import { type Entry, EntryKind } from '../entry.js';
import { tableFile } from '../manifest/format.js';
import type { RangeTombstones } from '../range-tombstones.js';
import type { ExplainedStep, LsmExplanation } from '../types.js';
import type { Core } from './core.js';
import { candidate, NEWEST } from './point-reader.js';

/** Follows the look-up of `key`, the newest version of it. Reads what the look-up would read. */
export function explainKey(core: Core, key: Uint8Array): LsmExplanation {
  const { memtables, versions, tables, points } = core;
  const { entry } = points;
  const steps: ExplainedStep[] = [];
  const end = key.length;
  const step = (source: string, ranges: RangeTombstones, found: boolean): boolean => {
    const covered = ranges.covering(key, 0, end, NEWEST);
    if (covered > (found ? entry.sequence : 0)) {
      steps.push({ source, outcome: 'covered by a range tombstone', sequence: covered });
      return true;
    }
    if (!found) {
      steps.push({ source, outcome: 'no version of the key' });
      return false;
    }
    const { sequence, expireAtMs } = entry;
    const expires = expireAtMs === 0 ? {} : { expireAtMs };
    steps.push({ source, outcome: outcomeOf(entry, core.clock.nowMs()), sequence, ...expires });
    return true;
  };
  const answer = (): LsmExplanation => {
    const outcome = steps.at(-1)?.outcome;
    return { found: outcome === 'value' || outcome === 'value in the value log', steps };
  };
  for (const memtable of memtables.all) {
    const source = memtable.isFrozen ? 'frozen memtable' : 'memtable';
    const found = memtable.get(key, 0, end, NEWEST, entry);
    if (step(source, memtable.rangeTombstones, found)) return answer();
  }
  for (const run of versions.current.runs) {
    const table = candidate(run.tables, key, 0, end);
    if (table === undefined) {
      const source = run.level === 0 ? `run ${run.run} of level 0` : `level ${run.level}`;
      steps.push({ source, outcome: 'outside the key range' });
      continue;
    }
    const source = `table ${tableFile(table.number)} (level ${run.level})`;
    const reader = tables.get(table);
    const may = reader.mayContain(key, 0, end);
    if (!may && reader.rangeTombstones.covering(key, 0, end, NEWEST) === 0) {
      steps.push({ source, outcome: 'refused by the filter' });
      continue;
    }
    const found = may && reader.get(key, 0, end, NEWEST, entry);
    if (step(source, reader.rangeTombstones, found)) return answer();
  }
  return answer();
}

function outcomeOf({ kind, expireAtMs }: Entry, nowMs: number): ExplainedStep['outcome'] {
  if (kind === EntryKind.delete) return 'tombstone';
  if (expireAtMs !== 0 && expireAtMs <= nowMs) return 'expired value';
  return kind === EntryKind.pointer ? 'value in the value log' : 'value';
}
