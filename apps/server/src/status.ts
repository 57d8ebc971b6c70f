/**
 * The document of `nen status --json` for a running server.
 *
 *     { schema_version, running, healthy, recovery, wal_health, store, snapshot, resources, server }
 *
 * What the engine can tell comes from `engineStatus`, the same as without a server. Keys are snake
 * case with their units last; LSNs are decimal strings; what is not known is null, so that every
 * key is always there.
 */
import { engineStatus, STATUS_SCHEMA_VERSION } from '@nendb/commands';
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

export function buildStatus(engine: EngineView, server: ServerStatus, resources: ResourceStatus) {
  const status = engineStatus(engine);
  return {
    schema_version: STATUS_SCHEMA_VERSION,
    running: true,
    healthy: status.wal_health.healthy,
    recovery: recoveryStatus(engine.recovery),
    ...status,
    resources,
    server,
  };
}

function recoveryStatus({ log, snapshot, replayed, elapsedMs }: EngineRecovery) {
  return {
    verdict: log.verdict,
    truncated: log.truncated ?? null,
    snapshot_source: snapshot?.source ?? null,
    snapshot_reason: snapshot?.reason ?? null,
    replayed_records: replayed,
    elapsed_ms: Math.round(elapsedMs),
  };
}
