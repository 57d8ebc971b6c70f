/**
 * The document of `nen status --json` for a running server.
 *
 *     { schema_version, running, healthy, reason, recovery, wal_health, store, snapshot, resources, server }
 *
 * `healthy` is false where the log has failed, and while writes are refused for lack of room; `reason`
 * says which. What the engine can tell comes from `engineStatus`, the same as without a server. Keys are snake
 * case with their units last; LSNs are decimal strings; what is not known is null, so that every
 * key is always there.
 */
import { engineStatus, STATUS_SCHEMA_VERSION, type WriteRefusal } from '@nendb/commands';
import type { EngineRecovery, EngineView } from '@nendb/engine';
import type { ResourceStatus } from './resources.js';

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
  clients_evicted: number;
  commands_processed: number;
  input_bytes: number;
  output_bytes: number;
}

export interface DiskStatus {
  /** What the file system of the data directory has left; null where it does not tell. */
  disk_free_bytes: number | null;
}

export function buildStatus(
  engine: EngineView,
  server: ServerStatus,
  resources: ResourceStatus & DiskStatus,
  refusal: WriteRefusal | undefined,
) {
  const status = engineStatus(engine);
  const { wal_health: log } = status;
  return {
    schema_version: STATUS_SCHEMA_VERSION,
    running: true,
    healthy: log.healthy && refusal === undefined,
    reason: log.healthy ? (refusal?.reason ?? null) : log.reason,
    writes_refused_at_ms: refusal?.atMs ?? null,
    recovery: recoveryStatus(engine.recovery),
    ...status,
    resources,
    server,
  };
}

function recoveryStatus({ log, snapshot, region, replayed, elapsedMs }: EngineRecovery) {
  return {
    verdict: log.verdict,
    truncated: log.truncated ?? null,
    snapshot_source: snapshot?.source ?? null,
    snapshot_reason: snapshot?.reason ?? null,
    region_trusted: region?.trusted ?? null,
    region_reason: region?.reason ?? null,
    replayed_records: replayed,
    elapsed_ms: Math.round(elapsedMs * 1000) / 1000,
  };
}
