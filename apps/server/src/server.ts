/**
 * A running server: the engine, the listening socket, the clients, and how it all ends.
 *
 *     take the port ─▶ open the engine (recovers) ─▶ let clients in ─▶ … ─▶ stop | abort | fatal
 *
 * Invariants
 *  1. Nobody is served before recovery is done; the port is had before the directory is touched.
 *  2. `stop` sends every reply that is due, within `drainTimeoutMs`, then closes the log.
 *  3. After a fatal error no waiting reply is sent: its write may not be on disk (R10).
 *  4. `ended` resolves exactly once, with the exit code of the process.
 *
 * Nothing here touches the process: signals, streams and exit belong to `main`.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Dispatcher } from '@nendb/commands';
import { Engine, type EngineOptions, type EngineView } from '@nendb/engine';
import { AuthBackoff } from './auth-backoff.js';
import { Clients } from './clients.js';
import type { ServerConfig } from './config.js';
import { Connection, type Shared } from './connection.js';
import { clientsWithin, descriptorsMax } from './descriptors.js';
import { ExitCode } from './exit-code.js';
import { ServerHost } from './host.js';
import * as limits from './limits.js';
import { type Doorkeeper, Listener } from './listener.js';
import { createLog, type Logger } from './log.js';
import { OccasionalLog } from './occasional-log.js';
import { readPasswordFile, type ServerPassword } from './password.js';
import { isLoopback, redisUrl } from './peer.js';
import { Resources } from './resources.js';
import type { Stoppable } from './shutdown.js';
import { Turn } from './turn.js';

/** What a test or an embedding program may put in place of the real thing. */
export interface ServerSeams {
  openEngine?: (options: EngineOptions) => Promise<EngineView>;
  log?: Logger;
  /** The limit of open files of this process, where it is known. */
  descriptorsMax?: () => number | undefined;
}

export interface ServerEnd {
  exitCode: ExitCode;
  reason: string;
}

/**
 * Starts a server; resolves when it is ready for clients.
 *
 * @throws ConfigError, ListenError, EngineError; then nothing is left open.
 */
export async function startServer(
  wanted: ServerConfig,
  seams: ServerSeams = {},
): Promise<RunningServer> {
  const { openEngine = Engine.open, log = createLog(wanted.logLevel) } = seams;
  const config = withinDescriptors(wanted, (seams.descriptorsMax ?? descriptorsMax)(), log);
  const password = config.requirepassFile ? readPasswordFile(config.requirepassFile) : undefined;
  const listener = await Listener.open(config);
  let engine: EngineView;
  try {
    engine = await openEngine({
      dir: config.dir,
      store: config.store,
      regionBytes: config.regionBytes,
      pmemPath: config.pmemPath,
      lsm: lsmOptions(config),
      sync: config.sync,
      segmentBytesMax: config.segmentBytes,
      snapshotLogBytesMin: config.snapshotLogBytes,
      valueBytesMax: config.valueBytesMax,
    });
  } catch (error) {
    listener.close();
    throw error;
  }
  try {
    return new RunningServer({ config, log, password, listener, engine });
  } catch (error) {
    listener.close();
    await engine.close();
    throw error;
  }
}

/** Half of the memory for what is written, up to the size at which larger tables gain nothing; the rest for reads. */
function lsmOptions({ lsmMemoryBytes }: ServerConfig): EngineOptions['lsm'] {
  if (lsmMemoryBytes === undefined) return undefined;
  const memtableBytes = Math.min(Math.floor(lsmMemoryBytes / 2), limits.LSM_MEMTABLE_BYTES_MAX);
  return { memtableBytes, cacheBytes: lsmMemoryBytes - memtableBytes };
}

/** The configuration with as many clients as the process can have descriptors for. */
function withinDescriptors(
  wanted: ServerConfig,
  descriptors: number | undefined,
  log: Logger,
): ServerConfig {
  const clientsMax = clientsWithin(wanted.clientsMax, descriptors);
  if (clientsMax === wanted.clientsMax) return wanted;
  log.warn(
    { clientsMax, wanted: wanted.clientsMax, descriptors },
    'the limit of open files is too low for --clients-max, which was lowered: raise it (ulimit -n)',
  );
  return { ...wanted, clientsMax };
}

interface Parts {
  config: ServerConfig;
  log: Logger;
  password: ServerPassword | undefined;
  listener: Listener;
  engine: EngineView;
}

export class RunningServer implements Stoppable, Doorkeeper {
  readonly engine: EngineView;
  readonly port: number;
  /** `redis://127.0.0.1:6379` */
  readonly url: string;
  /** Resolves when the server has ended, however it did. */
  readonly ended: Promise<ServerEnd>;

  readonly #config: ServerConfig;
  readonly #log: Logger;
  readonly #listener: Listener;
  readonly #clients: Clients<Connection>;
  readonly #turn = new Turn();
  readonly #resources = new Resources();
  readonly #host: ServerHost;
  readonly #shared: Shared;
  readonly #timers: NodeJS.Timeout[] = [];
  #stopping: Promise<void> | undefined;
  #aborting: Promise<void> | undefined;
  #end!: (end: ServerEnd) => void;

  constructor({ config, log, password, listener, engine }: Parts) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#config = config;
    this.#log = log;
    this.#listener = listener;
    this.engine = engine;
    this.port = listener.bound.port;
    this.url = redisUrl(config.bind, this.port);
    this.#clients = new Clients(config);
    this.#host = new ServerHost({
      config,
      engine,
      clients: this.#clients,
      resources: this.#resources,
      log,
      password,
      runId: randomBytes(20).toString('hex'),
      stop: (reason) => this.stop(reason),
      draining: () => this.#stopping !== undefined,
      commandsProcessed: () => this.#shared.dispatcher.counters.commandsProcessed,
      writeRefusal: () => this.#shared.dispatcher.writeRefusal,
    });
    this.#host.address = { url: this.url, port: this.port };
    this.#shared = {
      config,
      engine,
      dispatcher: new Dispatcher({ engine, host: this.#host }),
      clients: this.#clients,
      turn: this.#turn,
      pressured: new Set(),
      backoff: new AuthBackoff(() => performance.now()),
      log,
      passwordRequired: password !== undefined,
      occasionalLog: new OccasionalLog(log, () => performance.now()),
    };
    this.#begin(password);
  }

  get full(): boolean {
    return this.#clients.full;
  }

  get passwordRequired(): boolean {
    return this.#shared.passwordRequired;
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** The document of `nen status --json`. */
  status(): object {
    return this.#host.status();
  }

  admit(socket: Socket): void {
    this.#clients.counters.accepted++;
    this.#clients.add(new Connection(socket, this.#shared));
  }

  refused(address: string, reason: string): void {
    this.#clients.counters.rejected++;
    this.#shared.occasionalLog.warn({ address }, `refused a client: ${reason}`);
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stopInOrder(reason);
    return this.#stopping;
  }

  abort(reason: string): Promise<void> {
    this.#aborting ??= this.#stopNow({
      exitCode: ExitCode.interrupted,
      reason: `${reason} again: stopped without waiting for clients`,
    });
    return this.#aborting;
  }

  #begin(password: ServerPassword | undefined): void {
    const { engine } = this;
    engine.onDurable((durableLsn) => this.#durable(durableLsn));
    engine.onFatal((error) => this.#fatal(error));
    this.#listener.onError((error) => this.#log.error({ err: error }, 'accepting clients failed'));
    engine.publishAddress(this.url);
    this.#report(password);
    this.#clients.watch();
    this.#watchHealth();
    this.#listener.letIn(this);
  }

  #report(password: ServerPassword | undefined): void {
    const { recovery, dir } = this.engine;
    const { snapshot, log } = recovery;
    const { bound } = this.#listener;
    if (snapshot?.reason) {
      this.#log.warn({ ...snapshot }, 'the newest snapshot was not usable, the one before was');
    }
    if (recovery.snapshotRefused) {
      this.#log.warn({ reason: recovery.snapshotRefused }, 'no snapshot was usable, the log was');
    }
    if (recovery.region) {
      const { trusted, ...region } = recovery.region;
      const how = trusted ? 'the mapped region was trusted' : 'the mapped region was rebuilt';
      this.#log.info(region, how);
    }
    if (log.truncated) this.#log.warn({ ...log.truncated }, 'cut a torn tail off the log');
    if (password?.exposed) {
      this.#log.warn({ file: this.#config.requirepassFile }, 'others may read the password file');
    }
    if (!password && this.#config.protectedMode === 'no' && !isLoopback(bound.address)) {
      this.#log.warn({ bind: this.#config.bind }, 'open to the network without a password');
    }
    this.#log.info(
      {
        url: this.url,
        dir,
        verdict: log.verdict,
        snapshotLsn: snapshot ? String(snapshot.info.header.lsn) : undefined,
        replayed: recovery.replayed,
        lsn: String(this.engine.appliedLsn),
        epoch: this.engine.epoch,
        elapsedMs: recovery.elapsedMs,
      },
      'ready',
    );
  }

  #durable(durableLsn: number): void {
    this.#turn.durable(durableLsn);
    if (this.#shared.pressured.size > 0 && !this.engine.pressure) this.#relieve();
  }

  #relieve(): void {
    const { pressured } = this.#shared;
    const relieved = [...pressured];
    pressured.clear();
    for (const connection of relieved) connection.relieve();
  }

  /**
   * Notices that writes are refused, after a failed sync under a weak policy (R10) or for lack of
   * room: reads go on.
   */
  #watchHealth(): void {
    let state = this.engine.health().state;
    let refused = false;
    const timer = setInterval(() => {
      const { writeRefusal } = this.#shared.dispatcher;
      if (refused !== (writeRefusal !== undefined)) {
        refused = !refused;
        if (refused) this.#log.error({ reason: writeRefusal?.reason }, 'writes are refused');
        else this.#log.info('writes succeed again');
      }
      const health = this.engine.health();
      if (health.state === state) return;
      state = health.state;
      this.#log.error({ state, reason: health.reason }, 'the health of the engine changed');
      this.#relieve();
    }, limits.HEALTH_WATCH_MS);
    timer.unref();
    this.#timers.push(timer);
  }

  #fatal(error: Error): void {
    this.#log.fatal({ err: error }, 'the engine cannot go on: stopping without further replies');
    this.#cutClients('the engine has failed');
    this.#aborting ??= this.#stopNow({
      exitCode: ExitCode.failure,
      reason: `the engine cannot go on: ${error.message}`,
    });
  }

  async #stopInOrder(reason: string): Promise<void> {
    this.#log.info({ reason, clients: this.#clients.size }, 'stopping: draining clients');
    const deadlineMs = performance.now() + this.#config.drainTimeoutMs;
    this.#listener.close();
    for (const client of this.#clients.values()) client.stop();
    await this.#drained(deadlineMs, (client) => client.working);
    for (const client of this.#clients.values()) if (!client.working) client.finish();
    await this.#drained(Math.min(deadlineMs, performance.now() + limits.CLOSE_GRACE_MS));
    this.#cutClients('the server stops');
    if (this.#aborting) return;
    await this.#close({ exitCode: ExitCode.ok, reason });
  }

  /** Waits until no client is `held`, or for the deadline. */
  async #drained(
    deadlineMs: number,
    held: (client: Connection) => boolean = () => true,
  ): Promise<void> {
    while (performance.now() < deadlineMs && this.#aborting === undefined) {
      if (![...this.#clients.values()].some(held)) return;
      await new Promise((resolve) => setTimeout(resolve, limits.DRAIN_STEP_MS));
    }
  }

  async #stopNow(end: ServerEnd): Promise<void> {
    this.#listener.close();
    this.#cutClients(end.reason);
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limits.FORCED_CLOSE_MS);
    });
    await Promise.race([this.#close(end), bound]);
    clearTimeout(timer);
    this.#end(end);
  }

  async #close(end: ServerEnd): Promise<void> {
    this.#clients.close();
    for (const timer of this.#timers) clearInterval(timer);
    this.#resources.close();
    const failure = await this.#closeEngine();
    if (failure === undefined || end.exitCode !== ExitCode.ok) {
      this.#log.info({ reason: end.reason }, 'stopped');
      this.#end(end);
      return;
    }
    this.#log.fatal(
      { reason: failure },
      'stopped, but not all that was acknowledged may be on disk',
    );
    this.#end({ exitCode: ExitCode.failure, reason: failure });
  }

  /** Why what was acknowledged may not be on disk, or `undefined`. */
  async #closeEngine(): Promise<string | undefined> {
    const { healthy, reason } = this.engine.health();
    try {
      await this.engine.close();
    } catch (error) {
      return `closing the log failed: ${error instanceof Error ? error.message : String(error)}`;
    }
    return healthy ? undefined : `the log had failed before: ${reason}`;
  }

  #cutClients(reason: string): void {
    for (const client of [...this.#clients.values()]) client.destroy(reason);
  }
}
