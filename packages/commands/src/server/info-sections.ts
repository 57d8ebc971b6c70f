/** Sections of INFO that the engine and the counters can tell. */
import type { Environment } from '../dispatch/call.js';
import type { InfoFields } from '../host.js';
import { NENDB_VERSION, REDIS_VERSION } from '../version.js';

const SECONDS_PER_DAY = 86_400;

export function server({ host }: Environment): InfoFields {
  const nowMs = host.wallMs();
  const uptimeSeconds = Math.max(0, Math.floor((nowMs - host.startedAtMs) / 1000));
  return {
    redis_version: REDIS_VERSION,
    nendb_version: NENDB_VERSION,
    redis_mode: 'standalone',
    run_id: host.runId,
    server_time_usec: Math.floor(nowMs * 1000),
    uptime_in_seconds: uptimeSeconds,
    uptime_in_days: Math.floor(uptimeSeconds / SECONDS_PER_DAY),
  };
}

export function memory({ engine }: Environment): InfoFields {
  const { store } = engine.stats();
  return {
    used_memory: store.bytes + store.imageBytes,
    used_memory_human: humanBytes(store.bytes + store.imageBytes),
    used_memory_dataset: store.bytes,
    maxmemory: 0,
    maxmemory_human: '0B',
    maxmemory_policy: 'noeviction',
  };
}

/** The log is what Redis calls the AOF, a snapshot what it calls the RDB. */
export function persistence({ engine, host, writeRefusal }: Environment): InfoFields {
  const health = engine.health();
  const { snapshot } = health;
  const { wal } = engine.stats();
  return {
    loading: 0,
    async_loading: 0,
    rdb_changes_since_last_save: engine.appliedLsn - (snapshot.newest?.header.lsn ?? 0),
    rdb_bgsave_in_progress: snapshot.inProgress ? 1 : 0,
    rdb_last_save_time: Math.floor((snapshot.savedAtMs || host.startedAtMs) / 1000),
    rdb_last_bgsave_status: snapshot.lastError === undefined ? 'ok' : 'err',
    aof_enabled: 1,
    aof_rewrite_in_progress: 0,
    aof_rewrite_scheduled: 0,
    aof_last_bgrewrite_status: 'ok',
    aof_last_write_status: health.wal.poisoned || writeRefusal !== undefined ? 'err' : 'ok',
    aof_current_size: wal.bytes,
    aof_pending_bytes: wal.pendingBytes,
    nendb_epoch: engine.epoch,
    nendb_applied_lsn: engine.appliedLsn,
    nendb_durable_lsn: engine.durableLsn,
    nendb_synced_lsn: engine.syncedLsn,
    nendb_log_healthy: health.healthy ? 1 : 0,
    nendb_log_bytes_since_snapshot: snapshot.logBytesSince,
  };
}

export function statistics({ engine, counters }: Environment): InfoFields {
  const stats = engine.stats();
  return {
    total_commands_processed: counters.commandsProcessed,
    expired_keys: stats.expiredKeys,
    expired_subkeys: stats.expiredFields,
    evicted_keys: 0,
    keyspace_hits: counters.keyspaceHits,
    keyspace_misses: counters.keyspaceMisses,
    pubsub_channels: 0,
    pubsub_patterns: 0,
    total_error_replies: counters.errorReplies,
  };
}

export function replication({ engine, host }: Environment): InfoFields {
  return {
    role: 'master',
    connected_slaves: 0,
    master_failover_state: 'no-failover',
    master_replid: host.runId,
    master_repl_offset: engine.appliedLsn,
    repl_backlog_active: 0,
  };
}

export function keyspace({ engine }: Environment): InfoFields {
  const fields: Record<string, string> = {};
  for (const { database, keys, expiring, fieldExpiring } of engine.stats().databases) {
    fields[`db${database}`] =
      `keys=${keys},expires=${expiring},avg_ttl=0,subexpiry=${fieldExpiring}`;
  }
  return fields;
}

const UNITS = ['B', 'K', 'M', 'G', 'T'];

/** `1.72M`, as Redis writes it. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(2)}${UNITS[unit]}`;
}
