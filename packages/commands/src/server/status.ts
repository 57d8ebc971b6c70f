/**
 * The part of the status document that an engine can tell: the same online (NENDB STATUS) and
 * wherever else an engine is open. Keys are snake_case, LSNs decimal strings, units last.
 */
import type { EngineView, RegionUsage } from '@nendb/engine';

/** Grows when a key changes its meaning or goes away; new keys do not count. */
export const STATUS_SCHEMA_VERSION = 1;

export interface WalHealthStatus {
  healthy: boolean;
  state: string;
  reason: string | null;
  io_error_count: number;
  last_error: string | null;
  end_pos: { epoch: number; lsn: string; segment: string; offset: number };
  segments: number;
  segment_bytes: number;
  first_lsn: string;
  last_lsn: string;
  applied_lsn: string;
  durable_lsn: string;
  synced_lsn: string;
  appends: number;
  appended_bytes: number;
  writes: number;
  syncs: number;
  rotations: number;
  pending_bytes: number;
  last_sync_ms: number;
}

export interface StoreStatus {
  kind: string;
  database_uuid: string;
  epoch: number;
  keys: number;
  bytes: number;
  image_bytes: number;
  /** Of a store in a region of memory; null for others. */
  region: RegionStatus | null;
  databases: { database: number; keys: number; expiring: number }[];
  commits: number;
  effects: number;
  expired_keys: number;
}

/** What the region is used for; sizes in bytes, fragmentation from 0 to 1. */
export interface RegionStatus {
  backend: string;
  bytes_max: number;
  allocated_bytes: number;
  footprint_bytes: number;
  live_bytes: number;
  garbage_bytes: number;
  fragmentation: number;
}

export interface SnapshotStatusDocument {
  lsn: string | null;
  file: string | null;
  file_bytes: number;
  saved_at_ms: number;
  in_progress: boolean;
  last_error: string | null;
  log_bytes_since: number;
}

export interface EngineStatus {
  wal_health: WalHealthStatus;
  store: StoreStatus;
  snapshot: SnapshotStatusDocument;
}

export function engineStatus(engine: EngineView): EngineStatus {
  const health = engine.health();
  const stats = engine.stats();
  const { newest } = health.snapshot;
  return {
    wal_health: {
      healthy: health.healthy,
      state: health.state,
      reason: health.reason ?? null,
      io_error_count: health.wal.ioErrorCount,
      last_error: health.wal.lastError ?? null,
      end_pos: health.wal.endPosition.toJSON(),
      segments: stats.wal.segments,
      segment_bytes: stats.wal.bytes,
      first_lsn: String(stats.wal.firstLsn),
      last_lsn: String(stats.wal.lastLsn),
      applied_lsn: String(engine.appliedLsn),
      durable_lsn: String(engine.durableLsn),
      synced_lsn: String(engine.syncedLsn),
      appends: stats.wal.appends,
      appended_bytes: stats.wal.appendedBytes,
      writes: stats.wal.writes,
      syncs: stats.wal.syncs,
      rotations: stats.wal.rotations,
      pending_bytes: stats.wal.pendingBytes,
      last_sync_ms: stats.wal.lastSyncMs,
    },
    store: {
      kind: stats.store.kind,
      database_uuid: engine.databaseUuid,
      epoch: engine.epoch,
      keys: stats.store.keys,
      bytes: stats.store.bytes,
      image_bytes: stats.store.imageBytes,
      region: regionStatus(stats.store.region),
      databases: stats.databases.map(({ database, keys, expiring }) => ({
        database,
        keys,
        expiring,
      })),
      commits: stats.commits,
      effects: stats.effects,
      expired_keys: stats.expiredKeys,
    },
    snapshot: {
      lsn: newest === undefined ? null : String(newest.header.lsn),
      file: newest?.file ?? null,
      file_bytes: newest?.fileBytes ?? 0,
      saved_at_ms: health.snapshot.savedAtMs,
      in_progress: health.snapshot.inProgress,
      last_error: health.snapshot.lastError ?? null,
      log_bytes_since: health.snapshot.logBytesSince,
    },
  };
}

function regionStatus(region: RegionUsage | undefined): RegionStatus | null {
  if (region === undefined) return null;
  return {
    backend: region.backend,
    bytes_max: region.bytesMax,
    allocated_bytes: region.allocatedBytes,
    footprint_bytes: region.footprintBytes,
    live_bytes: region.liveBytes,
    garbage_bytes: region.garbageBytes,
    fragmentation: Math.round(region.fragmentation * 1000) / 1000,
  };
}
