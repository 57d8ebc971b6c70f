/**
 * Kills real servers and checks what they remember.
 *
 *     start ──► read everything, compare ──► clients write ──► kill -9 at the planned moment ──┐
 *       ▲                                                                                      │
 *       └──────── (start, kill during recovery) x 0..3 ◄───────────────────────────────────────┘
 *
 * Invariants
 *  1. One data directory lives through all cycles; every start is compared with all that went
 *     before.
 *  2. A cycle's kill comes after at least `writesMin` acknowledged writes of that cycle.
 *  3. The run ends with SIGTERM, exit code 0 and one more start and comparison.
 *
 * kill -9 does not test fsync: the page cache survives it. Power loss is the simulator's part.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.js';
import { CrashFailure } from './failure.js';
import { Load, LoadClient } from './load.js';
import { fellInside, untilMoment, untilRecovering, untilStarted } from './moments.js';
import { type CyclePlan, describePlan, type KillKind, planCycle } from './plan.js';
import { Random } from './random.js';
import { type ServerOptions, ServerProcess, serverScript } from './server-process.js';
import { SharedCounters } from './shared-counters.js';
import { readDatabase, settleAll } from './verify.js';

export interface CrashOptions {
  /** The server's script. */
  script: string;
  cycles: number;
  seed: number;
  /** Default 6. */
  clients?: number;
  /** Most operations in flight of one client. Default 8. */
  depthMax?: number;
  /** Acknowledged writes before each kill. Default 500. */
  writesMin?: number;
  /** Begins no cycle after so long; the report says how many there were. */
  runMsMax?: number;
  /** Further arguments for the server. */
  args?: readonly string[];
  log?: (line: string) => void;
}

export interface CrashReport {
  cycles: number;
  acknowledgedWrites: number;
  /** The fewest acknowledged writes of a cycle. */
  acknowledgedWritesMin: number;
  /** By moment: kills, and how many of them demonstrably fell inside of it. */
  kills: Record<KillKind, { count: number; inside: number }>;
  elapsedMs: number;
}

/** Longest time for a cycle's writes: a server that hangs is a failure. */
const WRITES_MS_MAX = 60_000;
const RECOVERY_MS_GUESS = 40;
/** About what it takes to begin a new segment once the old ones were read. */
const LOG_REBUILD_MS = 5;

/**
 * Runs the cycles. Throws `CrashFailure`, whose message ends with a line that reproduces it; the
 * data directory is then kept.
 */
export async function runCrashCycles(options: CrashOptions): Promise<CrashReport> {
  const dir = await mkdtemp(join(tmpdir(), 'nendb-crash-'));
  const data = join(dir, 'data');
  await mkdir(data);
  const run = new CrashRun(options, data);
  try {
    const report = await run.all();
    await rm(dir, { recursive: true, force: true });
    return report;
  } catch (error) {
    const code = error instanceof CrashFailure ? error.code : 'CRASH_SERVER';
    const what = error instanceof CrashFailure ? error.message : String(error);
    throw new CrashFailure(code, `${what}\n${run.context()}\n${reproduction(options)}`);
  } finally {
    await run.abandon();
  }
}

/** The command that has the same run again. */
export function reproduction(options: CrashOptions): string {
  const { cycles, seed, clients, depthMax, writesMin, script, args = [] } = options;
  const server = script === serverScript() ? undefined : script;
  const flags = { cycles, seed, clients, depth: depthMax, writes: writesMin, server };
  const words = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  );
  if (args.length > 0) words.push('--', ...args);
  return `reproduce: node tools/crash/dist/main.js ${words.join(' ')}`;
}

class CrashRun {
  readonly #options: CrashOptions;
  readonly #dir: string;
  readonly #random: Random;
  readonly #shared = new SharedCounters();
  readonly #clients: LoadClient[];
  readonly #report: CrashReport;
  #server: ServerProcess | undefined;
  #where = 'before the first cycle';
  #recoveryMs = RECOVERY_MS_GUESS;

  constructor(options: CrashOptions, dir: string) {
    this.#options = options;
    this.#dir = dir;
    this.#random = new Random(options.seed);
    this.#clients = Array.from(
      { length: options.clients ?? 6 },
      (_, i) => new LoadClient(i + 1, this.#random.fork(), this.#shared),
    );
    const none = () => ({ count: 0, inside: 0 });
    this.#report = {
      cycles: 0,
      acknowledgedWrites: 0,
      acknowledgedWritesMin: Number.POSITIVE_INFINITY,
      kills: { random: none(), rotation: none(), snapshot: none(), recovery: none() },
      elapsedMs: 0,
    };
  }

  async all(): Promise<CrashReport> {
    const startMs = performance.now();
    let plan = planCycle(this.#random, 0);
    const { cycles, runMsMax = Number.POSITIVE_INFINITY } = this.#options;
    for (let cycle = 0; cycle < cycles && performance.now() - startMs < runMsMax; cycle++) {
      plan = planCycle(this.#random, cycle);
      this.#where = `in cycle ${cycle + 1} of ${cycles} (${describePlan(plan)})`;
      await this.#cycle(plan);
      this.#report.cycles++;
    }
    this.#where = 'in the clean stop behind the last cycle';
    await (await this.#startAndCompare(plan)).stop();
    this.#where = 'in the start behind the clean stop';
    await (await this.#startAndCompare(plan)).stop();
    this.#report.elapsedMs = Math.round(performance.now() - startMs);
    return this.#report;
  }

  /** Where the run is, and what the server said last. */
  context(): string {
    const output = this.#server?.output ?? '';
    const said = output === '' ? '' : `\nthe server's last words:\n${output}`;
    return `${this.#where}; data kept in ${this.#dir}${said}`;
  }

  /** Ends what a failure left running. */
  async abandon(): Promise<void> {
    await this.#server?.kill();
  }

  async #cycle(plan: CyclePlan): Promise<void> {
    const startMs = performance.now();
    const server = await this.#startAndCompare(plan);
    const port = await server.ready;
    const loadMs = performance.now();
    const control = await Connection.open(port);
    const load = await Load.start(port, this.#clients, this.#options.depthMax ?? 8);
    try {
      await this.#orFailure(load, server, this.#writesAndMoment(plan, load, control));
      await server.kill();
      await Promise.all([load.drained(), control.closed]);
    } finally {
      await load.close();
      await control.close();
    }
    // A reply that was still on its way may be the one that must not be.
    await Promise.race([load.failed, Promise.resolve()]);
    const isInside = await fellInside(plan, this.#dir);
    this.#count(plan.kind === 'recovery' ? 'random' : plan.kind, isInside);
    this.#report.acknowledgedWrites += load.acknowledged;
    this.#report.acknowledgedWritesMin = Math.min(
      this.#report.acknowledgedWritesMin,
      load.acknowledged,
    );
    const times = `started in ${elapsed(startMs, loadMs)}, killed after ${elapsed(loadMs)}`;
    this.#options.log?.(
      `${this.#where}: ${load.acknowledged} writes acknowledged, ${times}${isInside ? '' : ', outside'}`,
    );
    for (let left = plan.recoveryKills; left > 0; left--) await this.#killDuringRecovery(plan);
  }

  async #writesAndMoment(plan: CyclePlan, load: Load, control: Connection): Promise<void> {
    const writesMin = this.#options.writesMin ?? 500;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(
          new CrashFailure(
            'CRASH_SERVER',
            `expected ${writesMin} acknowledged writes within ${WRITES_MS_MAX} ms, got ${load.acknowledged}`,
          ),
        );
      }, WRITES_MS_MAX);
      // A run that failed meanwhile does not wait for this.
      timer.unref();
    });
    try {
      await Promise.race([load.untilAcknowledged(writesMin), late]);
    } finally {
      clearTimeout(timer);
    }
    await untilMoment(plan, this.#dir, control);
  }

  /** Waits for `work`, unless a client meets what must not be or the server ends by itself. */
  async #orFailure(load: Load, server: ServerProcess, work: Promise<void>): Promise<void> {
    const ended = server.ended.then(({ code, signal }) => {
      throw new CrashFailure(
        'CRASH_SERVER',
        `expected the server to run until it is killed, it ended with ${code ?? signal}`,
      );
    });
    ended.catch(() => undefined);
    await Promise.race([work, load.failed, ended]);
  }

  async #killDuringRecovery(plan: CyclePlan): Promise<void> {
    const server = this.#spawn(plan);
    // From the first sign of life on, or from the first change to the log.
    const isFromStart = this.#random.chance(0.5);
    await untilRecovering(server, isFromStart ? this.#dir : `${this.#dir}/wal`);
    const delayMs = this.#random.fraction() * (isFromStart ? this.#recoveryMs : LOG_REBUILD_MS);
    await Promise.race([sleep(delayMs), untilStarted(server)]);
    const isInside = !server.isReady;
    // A server that gave up by itself says why.
    if (server.hasEnded) await server.ready;
    await server.kill();
    this.#count('recovery', isInside);
  }

  async #startAndCompare(plan: CyclePlan): Promise<ServerProcess> {
    const server = this.#spawn(plan);
    await untilRecovering(server, this.#dir);
    const startMs = performance.now();
    const port = await server.ready;
    this.#recoveryMs = performance.now() - startMs;
    const connection = await Connection.open(port);
    try {
      const found = await readDatabase(connection);
      const histories = this.#clients.map((client) => client.history);
      settleAll(found, histories, this.#shared);
    } finally {
      await connection.close();
    }
    return server;
  }

  #spawn(plan: CyclePlan): ServerProcess {
    const { script, args } = this.#options;
    const { sync, segmentBytes, snapshotLogBytes } = plan;
    const options: ServerOptions = {
      script,
      dir: this.#dir,
      sync,
      segmentBytes,
      snapshotLogBytes,
      args,
    };
    this.#server = new ServerProcess(options);
    return this.#server;
  }

  #count(kind: KillKind, isInside: boolean): void {
    this.#report.kills[kind].count++;
    if (isInside) this.#report.kills[kind].inside++;
  }
}

function elapsed(fromMs: number, toMs = performance.now()): string {
  return `${Math.round(toMs - fromMs)} ms`;
}
