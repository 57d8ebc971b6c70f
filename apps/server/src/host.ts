/**
 * What the commands ask of this server: configuration, clients, INFO fields, status, shutdown.
 *
 * Everything is answered from memory, free disk space by the file system; SHUTDOWN alone takes time.
 */
import { statfsSync } from 'node:fs';
import {
  type Host,
  humanBytes,
  type InfoFields,
  NENDB_VERSION,
  type Session,
  type SessionBuffers,
  type ShutdownMode,
  type WriteRefusal,
} from '@nendb/commands';
import type { EngineView, RegionUsage } from '@nendb/engine';
import type { Clients } from './clients.js';
import type { ServerConfig } from './config.js';
import type { Connection } from './connection.js';
import type { Logger } from './log.js';
import { formatSync } from './options.js';
import type { ServerPassword } from './password.js';
import type { Resources } from './resources.js';
import { settings } from './settings.js';
import { buildStatus } from './status.js';

export interface HostParts {
  config: ServerConfig;
  engine: EngineView;
  clients: Clients<Connection>;
  resources: Resources;
  log: Logger;
  password: ServerPassword | undefined;
  /** 40 hexadecimal digits. */
  runId: string;
  /** Begins an orderly stop; resolves when the log is closed. */
  stop(reason: string): Promise<void>;
  draining(): boolean;
  /** Requests answered, as the dispatcher counts them. */
  commandsProcessed(): number;
  /** Why writes are refused for lack of room, until one succeeds. */
  writeRefusal(): WriteRefusal | undefined;
}

export class ServerHost implements Host {
  readonly runId: string;
  readonly startedAtMs = Date.now();
  readonly passwordRequired: boolean;
  /** Where the server listens; set when it does. */
  address = { url: '', port: 0 };
  readonly #parts: HostParts;
  #usedPeakBytes = 0;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.runId = parts.runId;
    this.passwordRequired = parts.password !== undefined;
  }

  wallMs(): number {
    return performance.timeOrigin + performance.now();
  }

  checkPassword(password: Uint8Array): boolean {
    return this.#parts.password?.digest.matches(password) ?? false;
  }

  configuration(): ReadonlyMap<string, string> {
    const { config, engine } = this.#parts;
    return settings(config, this.address.port, this.passwordRequired, engine.storeKind);
  }

  sessions(): Iterable<Session> {
    return this.#parts.clients.sessions();
  }

  buffersOf(session: Session): SessionBuffers {
    const client = this.#parts.clients.get(session);
    return { queryBytes: client?.queryBytes ?? 0, outputBytes: client?.outputBytes ?? 0 };
  }

  info(section: string): InfoFields {
    switch (section) {
      case 'server':
        return this.#serverFields();
      case 'clients':
        return this.#clientFields();
      case 'memory':
        return this.#memoryFields();
      case 'stats':
        return this.#statsFields();
      case 'cpu':
        return this.#cpuFields();
      default:
        return {};
    }
  }

  resetStatistics(): void {
    this.#parts.clients.resetCounters();
  }

  status(): object {
    const { config, engine, clients, resources, draining, commandsProcessed, writeRefusal } =
      this.#parts;
    const nowMs = Date.now();
    const { counters } = clients;
    return buildStatus(
      engine,
      {
        version: NENDB_VERSION,
        address: this.address.url,
        pid: process.pid,
        run_id: this.runId,
        started_at_ms: this.startedAtMs,
        uptime_ms: nowMs - this.startedAtMs,
        sync: formatSync(config.sync),
        draining: draining(),
        clients_connected: clients.size,
        clients_max: config.clientsMax,
        clients_accepted: counters.accepted,
        clients_rejected: counters.rejected,
        clients_evicted: counters.evicted,
        commands_processed: commandsProcessed(),
        input_bytes: counters.inputBytes,
        output_bytes: counters.outputBytes,
      },
      { ...resources.status(), disk_free_bytes: diskFreeBytes(engine.dir) },
      writeRefusal(),
    );
  }

  async shutdown(mode: ShutdownMode): Promise<void> {
    if (mode === 'save') await this.#parts.engine.snapshot();
    await this.#parts.stop('SHUTDOWN');
    // The client gets no reply: its connection is cut, so that the promise has nobody to tell.
    await new Promise<never>(() => {});
  }

  report(error: Error): void {
    this.#parts.log.error({ err: error }, 'a command failed unexpectedly');
  }

  #serverFields(): InfoFields {
    const { config, engine } = this.#parts;
    return {
      process_id: process.pid,
      tcp_port: this.address.port,
      executable: process.execPath,
      config_file: '',
      arch_bits: 64,
      multiplexing_api: 'libuv',
      nendb_sync: formatSync(config.sync),
      nendb_store: engine.storeKind,
    };
  }

  #clientFields(): InfoFields {
    const { config, clients, engine } = this.#parts;
    const { watches, watchedKeys } = engine.stats();
    return {
      connected_clients: clients.size,
      maxclients: config.clientsMax,
      blocked_clients: 0,
      watching_clients: watches,
      total_watched_keys: watchedKeys,
      nendb_query_buffer_bytes: clients.queryBytes,
    };
  }

  #memoryFields(): InfoFields {
    const memory = process.memoryUsage();
    const { region } = this.#parts.engine.stats().store;
    // What the process has asked for, as Redis counts; array buffers are part of `external`, shared
    // ones, which regions are made of, are not.
    const usedBytes = memory.heapUsed + memory.external + (region?.footprintBytes ?? 0);
    this.#usedPeakBytes = Math.max(this.#usedPeakBytes, usedBytes);
    return {
      used_memory: usedBytes,
      used_memory_human: humanBytes(usedBytes),
      used_memory_rss: memory.rss,
      used_memory_rss_human: humanBytes(memory.rss),
      used_memory_peak: this.#usedPeakBytes,
      used_memory_peak_human: humanBytes(this.#usedPeakBytes),
      nendb_heap_used_bytes: memory.heapUsed,
      nendb_array_buffers_bytes: memory.arrayBuffers,
      ...(region && regionFields(region)),
    };
  }

  #statsFields(): InfoFields {
    const { counters } = this.#parts.clients;
    return {
      total_connections_received: counters.accepted,
      rejected_connections: counters.rejected,
      evicted_clients: counters.evicted,
      total_net_input_bytes: counters.inputBytes,
      total_net_output_bytes: counters.outputBytes,
    };
  }

  #cpuFields(): InfoFields {
    const cpu = process.resourceUsage();
    const us = 1e6;
    return {
      used_cpu_sys: (cpu.systemCPUTime / us).toFixed(6),
      used_cpu_user: (cpu.userCPUTime / us).toFixed(6),
    };
  }
}

/** What the file system of `dir` has left for this user; null where it does not tell. */
function diskFreeBytes(dir: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function regionFields(region: RegionUsage): InfoFields {
  return {
    nendb_region_backend: region.backend,
    nendb_region_bytes_max: region.bytesMax,
    nendb_region_allocated_bytes: region.allocatedBytes,
    nendb_region_footprint_bytes: region.footprintBytes,
    nendb_region_live_bytes: region.liveBytes,
    nendb_region_garbage_bytes: region.garbageBytes,
    nendb_region_fragmentation: region.fragmentation.toFixed(3),
  };
}
