/** The numbers of an open tree. */
import { LEVELS_MAX } from '../limits.js';
import type { LevelStats, LsmHealth, LsmStats } from '../types.js';
import type { Version } from '../version/version.js';
import type { Compactor } from './compactor.js';
import type { Core } from './core.js';
import type { Flusher } from './flusher.js';
import { pacedBytesPerSec } from './pacer.js';

export function statsOf(core: Core, flusher: Flusher, compactor: Compactor): LsmStats {
  const { versions, memtables, counters, cache, oracle, snapshots, options, log } = core;
  const version = versions.current;
  const { open, commits, conflicts } = oracle.stats();
  const { hits, misses, evictions } = cache.stats();
  let tableBytes = 0;
  for (const table of version.tables.values()) tableBytes += table.fileBytes;
  let valueBytes = 0;
  let recordBytes = 0;
  for (const file of version.valueFiles.values()) {
    valueBytes += file.fileBytes;
    recordBytes += file.recordBytes;
  }
  let liveBytes = 0;
  for (const bytes of version.liveValueBytes.values()) liveBytes += bytes;
  const { userBytes, logBytes, flushedBytes, compactionWrittenBytes } = counters;
  return {
    sequence: core.sequence,
    flushedSequence: versions.flushedSequence,
    memtables: {
      count: memtables.all.length,
      bytes: memtables.bytes,
      entries: memtables.all.reduce((sum, { count }) => sum + count, 0),
    },
    levels: levelsOf(version),
    tables: version.tables.size,
    tableBytes,
    valueFiles: version.valueFiles.size,
    valueBytes,
    valueGarbageBytes: Math.max(0, recordBytes - liveBytes),
    userBytes,
    logBytes: log?.wal.stats.bytes ?? 0,
    flushes: counters.flushes,
    flushedBytes,
    compactions: counters.compactions,
    compactionReadBytes: counters.compactionReadBytes,
    compactionWrittenBytes,
    movedTables: counters.movedTables,
    manifestRotations: versions.rotations,
    writeAmplification:
      userBytes === 0 ? 0 : (logBytes + flushedBytes + compactionWrittenBytes) / userBytes,
    readAmplification: version.runs.length,
    spaceAmplification: spaceAmplification(version, recordBytes, liveBytes),
    compactionDebtBytes: compactor.strategy.debtBytes(version),
    pacedBytesPerSec: pacedBytesPerSec({
      frozenMemtables: memtables.frozen.length,
      level0Runs: version.level0.length,
      level0RunsCompact: options.level0RunsCompact,
    }),
    snapshots: snapshots.count,
    pinnedVersions: versions.pinnedVersions,
    cache: {
      limitBytes: cache.budget.limitBytes,
      usedBytes: cache.budget.usedBytes,
      hits,
      misses,
      evictions,
    },
    transactions: { open, commits, conflicts },
    health: healthOf(core, flusher, compactor),
  };
}

/** Whether everything works; the first thing to look at when it does not. */
export function healthOf(core: Core, flusher: Flusher, compactor: Compactor): LsmHealth {
  const { counters, versions, failure } = core;
  const error =
    failure ?? versions.failure ?? flusher.background.lastError ?? compactor.background.lastError;
  const lastError = error?.message ?? counters.lastError;
  return {
    healthy: error === undefined,
    poisoned: failure !== undefined,
    backgroundErrors: counters.backgroundErrors,
    leftFiles: versions.pins.left.size,
    ...(lastError !== undefined && { lastError }),
  };
}

function levelsOf(version: Version): LevelStats[] {
  const levels: LevelStats[] = [];
  for (let level = 0; level < LEVELS_MAX; level++) {
    const stats = { level, runs: 0, tables: 0, bytes: 0, entries: 0, tombstones: 0 };
    for (const run of version.runs) {
      if (run.level !== level) continue;
      stats.runs++;
      for (const table of run.tables) {
        stats.tables++;
        stats.bytes += table.fileBytes;
        stats.entries += table.entries;
        stats.tombstones += table.tombstones + table.rangeTombstones;
      }
    }
    levels.push(stats);
  }
  return levels;
}

function spaceAmplification(version: Version, recordBytes: number, liveBytes: number): number {
  const oldest = version.runs.at(-1);
  if (oldest === undefined) return 1;
  let all = recordBytes;
  for (const table of version.tables.values()) all += table.fileBytes;
  let last = liveBytes;
  for (const table of oldest.tables) last += table.fileBytes;
  return last === 0 ? 1 : all / last;
}
