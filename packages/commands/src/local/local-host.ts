/**
 * The host of an embedded database: no socket, no password, no configuration to change. Time is the
 * engine's, which never goes back.
 */
import type { EngineView } from '@nendb/engine';
import type { Host, InfoFields, SessionBuffers, ShutdownMode } from '../host.js';
import { engineStatus, STATUS_SCHEMA_VERSION } from '../server/status.js';
import type { Session } from '../session.js';
import { NENDB_VERSION } from '../version.js';

export interface LocalHostOptions {
  engine: EngineView;
  /** Told of errors that no caller caused. Default: they are only replied. */
  onError?: (error: Error) => void;
}

const NO_BUFFERS: SessionBuffers = { queryBytes: 0, outputBytes: 0 };

export class LocalHost implements Host {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly passwordRequired: boolean = false;
  readonly #engine: EngineView;
  readonly #onError: ((error: Error) => void) | undefined;

  constructor(options: LocalHostOptions) {
    this.#engine = options.engine;
    this.#onError = options.onError;
    this.startedAtMs = options.engine.nowMs();
    this.runId = runIdOf(options.engine);
  }

  wallMs(): number {
    return this.#engine.nowMs();
  }

  checkPassword(_password: Uint8Array): boolean {
    return true;
  }

  configuration(): ReadonlyMap<string, string> {
    return new Map([['dir', this.#engine.dir]]);
  }

  sessions(): Iterable<Session> {
    return [];
  }

  buffersOf(): SessionBuffers {
    return NO_BUFFERS;
  }

  info(): InfoFields {
    return {};
  }

  resetStatistics(): void {
    // Counts nothing itself.
  }

  status(): object {
    return {
      schema_version: STATUS_SCHEMA_VERSION,
      running: true,
      ...engineStatus(this.#engine),
      server: { mode: 'embedded', nendb_version: NENDB_VERSION },
    };
  }

  async shutdown(mode: ShutdownMode): Promise<void> {
    if (mode === 'save') await this.#engine.snapshot();
    await this.#engine.close();
  }

  report(error: Error): void {
    this.#onError?.(error);
  }
}

/** 40 hexadecimal digits that differ between databases and between openings of one. */
function runIdOf(engine: EngineView): string {
  const epoch = engine.epoch.toString(16).padStart(8, '0');
  return engine.databaseUuid.replaceAll('-', '').padEnd(32, '0').slice(0, 32) + epoch.slice(-8);
}
