/**
 * The document of `nen status --json` for a running server.
 *
 *     { schema_version, running, healthy, state, reason,
 *       recovery, wal_health, store, snapshot, resources, server }
 *
 * Keys are snake case with their units last; LSNs are decimal strings, since JSON numbers lose
 * digits in other languages; what is not known is null, so that every key is always there.
 */
import type { EngineView } from '@nendb/engine';
import type { ResourceStatus } from './resources.js';

/** Grows when a key changes its meaning or goes away; new keys do not change it. */
export const STATUS_SCHEMA_VERSION = 1;

export interface ServerStatus {
  version: string;
  address: string;
  pid: number;
  run_id: string;
  started_at_ms: number;
  uptime_ms: number;
  sync: string;
  draining: boolean;
  clients_connected: number;
  clients_max: number;
  clients_accepted: number;
  clients_rejected: number;
  commands_processed: number;
  input_bytes: number;
  output_bytes: number;
}

/** @param nowMs wall clock, in ms since 1970. */
export function buildStatus(
  engine: EngineView,
  server: ServerStatus,
  resources: ResourceStatus,
  nowMs: number,
) {
  const health = engine.health();
  return {
    schema_version: STATUS_SCHEMA_VERSION,
    running: true,
    healthy: health.healthy,
    state: health.state,
    reason: health.reason ?? null,
    recovery: recoveryStatus(engine),
    wal_health: walStatus(engine),
    store: storeStatus(engine),
    snapshot: snapshotStatus(engine, nowMs),
    resources,
    server,
  };
}

function recoveryStatus({ recovery }: EngineView) {
  return {
    verdict: recovery.log.verdict,
    truncated: recovery.log.truncated ?? null,
    snapshot_source: recovery.snapshot?.source ?? null,
    snapshot_reason: recovery.snapshot?.reason ?? null,
    replayed_records: recovery.replayed,
    elapsed_ms: recovery.elapsedMs,
  };
}

function walStatus(engine: EngineView) {
  const { wal: health } = engine.health();
  const { wal: stats } = engine.stats();
  const { epoch, lsn, segment, offset } = health.endPosition;
  return {
    healthy: health.healthy,
    poisoned: health.poisoned,
    failure: health.failure ?? null,
    io_error_count: health.ioErrorCount,
    last_error: health.lastError ?? null,
    end_pos: { epoch, lsn: String(lsn), segment, offset },
    applied_lsn: String(engine.appliedLsn),
    durable_lsn: String(engine.durableLsn),
    synced_lsn: String(engine.syncedLsn),
    segments: {
      count: stats.segments,
      bytes: stats.bytes,
      first_lsn: String(stats.firstLsn),
      last_lsn: String(stats.lastLsn),
      rotations: stats.rotations,
    },
    appends: stats.appends,
    appended_bytes: stats.appendedBytes,
    writes: stats.writes,
    syncs: stats.syncs,
    last_sync_ms: stats.lastSyncMs,
    pending_bytes: stats.pendingBytes,
  };
}

function storeStatus(engine: EngineView) {
  const stats = engine.stats();
  return {
    kind: stats.store.kind,
    keys: stats.store.keys,
    bytes: stats.store.bytes,
    image_bytes: stats.store.imageBytes,
    databases: stats.databases.map(({ database, keys, expiring }) => ({
      database,
      keys,
      expiring,
    })),
    commits: stats.commits,
    effects: stats.effects,
    expired_keys: stats.expiredKeys,
  };
}

function snapshotStatus(engine: EngineView, nowMs: number) {
  const { newest, savedAtMs, inProgress, lastError, logBytesSince } = engine.health().snapshot;
  return {
    file: newest?.file ?? null,
    lsn: newest ? String(newest.header.lsn) : null,
    epoch: newest?.header.epoch ?? null,
    file_bytes: newest?.fileBytes ?? null,
    saved_at_ms: newest ? savedAtMs : null,
    age_ms: newest ? Math.max(0, nowMs - savedAtMs) : null,
    in_progress: inProgress,
    last_error: lastError ?? null,
    log_bytes_since: logBytesSince,
  };
}
