/**
 * A random run of the engine on a simulated machine, with a record of what may be expected after a
 * crash at any of its moments.
 *
 * The run holds what the rules are about: commits of every kind and size, rotation, snapshots (so
 * that there is a `.bak` and the log is cut), clean closes and re-openings.
 */
import { Prng, SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy } from '@nendb/wal';
import { Engine } from '../../src/engine.js';
import type { EngineOptions, StoreKind, TransactionView } from '../../src/types.js';
import { stateOf } from './state.js';

export const DIR = '/data/db';

export interface WorkloadOptions {
  seed: number;
  /** Default 60. */
  steps?: number;
  sync?: SyncPolicy;
  /** Default that of the engine. */
  store?: StoreKind;
}

/** What was promised when the machine had changed its disk so often. */
interface Promised {
  changes: number;
  lsn: number;
}

export class WorkloadRun {
  /** `states[lsn]` is the state after that commit; `states[0]` is empty. */
  readonly states: string[] = ['[]'];
  /** Growing in both: from `changes` on, records up to `lsn` must survive. */
  readonly durable: Promised[] = [];
  readonly synced: Promised[] = [];
  rotations = 0;
  snapshots = 0;
  reopenings = 0;

  constructor(
    readonly sim: SimVfs,
    readonly store: StoreKind | undefined,
  ) {}

  /** The LSN that must survive a crash after `changes` changes of the disk. */
  promisedAt(changes: number, kind: 'durable' | 'synced'): number {
    let lsn = 0;
    for (const promise of this[kind]) {
      if (promise.changes > changes) break;
      lsn = promise.lsn;
    }
    return lsn;
  }

  note(engine: Engine): void {
    const changes = this.sim.changeCount;
    if (engine.durableLsn > (this.durable.at(-1)?.lsn ?? 0)) {
      this.durable.push({ changes, lsn: engine.durableLsn });
    }
    if (engine.syncedLsn > (this.synced.at(-1)?.lsn ?? 0)) {
      this.synced.push({ changes, lsn: engine.syncedLsn });
    }
  }
}

/** Small everything, so that a short run rotates, cuts and fragments. */
export function engineOptions(
  sim: SimVfs,
  sync: SyncPolicy = 'always',
  store?: StoreKind,
): EngineOptions {
  return {
    dir: DIR,
    vfs: sim,
    sync,
    segmentBytesMax: 8 * 1024,
    activeExpiry: false,
    snapshotLogBytesMin: 1024 * 1024,
    regionBytes: 256 * 1024 * 1024,
    ...(store && { store }),
    lsm: {
      ...{ memtableBytes: 4096, cacheBytes: 16 * 1024, blockBytes: 512 },
      ...{ tableBytes: 4096, levelBaseBytes: 8192 },
    },
  };
}

/** Runs a random workload to its clean end. */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadRun> {
  const { seed, steps = 60, sync, store } = options;
  const dice = new Prng(seed, 77);
  const sim = new SimVfs({ seed });
  const run = new WorkloadRun(sim, store);
  await sim.run(async () => {
    let engine = await open(run, sync, store);
    for (let step = 0; step < steps; step++) {
      const choice = dice.below(24);
      if (choice === 0) {
        await engine.snapshot();
        run.snapshots++;
      } else if (choice === 1) {
        await close(run, engine);
        engine = await open(run, sync, store);
        run.reopenings++;
      } else if (choice === 2) {
        // A snapshot that commits overtake.
        const snapshot = engine.snapshot();
        commitRandom(run, engine, dice);
        await engine.barrier();
        commitRandom(run, engine, dice);
        await snapshot;
        run.snapshots++;
      } else {
        const commits = 1 + dice.below(3);
        for (let i = 0; i < commits; i++) commitRandom(run, engine, dice);
        if (dice.below(3) > 0) await engine.barrier();
      }
      run.note(engine);
    }
    await close(run, engine);
  });
  return run;
}

async function open(
  run: WorkloadRun,
  sync: SyncPolicy | undefined,
  store: StoreKind | undefined,
): Promise<Engine> {
  const engine = await Engine.open(engineOptions(run.sim, sync, store));
  engine.onDurable(() => run.note(engine));
  run.note(engine);
  return engine;
}

async function close(run: WorkloadRun, engine: Engine): Promise<void> {
  run.rotations += engine.stats().wal.rotations;
  await engine.close();
  const lsn = run.states.length - 1;
  run.durable.push({ changes: run.sim.changeCount, lsn });
  run.synced.push({ changes: run.sim.changeCount, lsn });
}

function commitRandom(run: WorkloadRun, engine: Engine, dice: Prng): void {
  const tx = engine.begin();
  const changes = dice.below(8) === 0 ? 1 + dice.below(5) : 1;
  for (let i = 0; i < changes; i++) change(tx, dice);
  const before = engine.appliedLsn;
  const lsn = engine.commit();
  if (lsn > before) run.states[lsn] = stateOf(engine);
}

const FAR_FUTURE_MS = Date.UTC(2100, 0, 1);
/** Copies of hashes: no string is written there. */
const COPY = Buffer.from('copy');

function change(tx: TransactionView, dice: Prng): void {
  const database = dice.below(3);
  const key = Buffer.from(`key${dice.below(6)}`);
  const hash = Buffer.from(`hash${dice.below(3)}`);
  const field = Buffer.from(`field${dice.below(5)}`);
  const value = Buffer.alloc(dice.below(20) === 0 ? 3_000 : dice.below(200), `${dice.below(10)}`);
  switch (dice.below(20)) {
    case 0:
      tx.swapDatabases(database, dice.below(3));
      return;
    case 1:
      tx.flushDatabase(database);
      return;
    case 2:
    case 3:
      tx.remove(database, key, 0, key.length);
      return;
    case 4:
    case 5:
      tx.setExpiry(database, key, 0, key.length, dice.below(2) * FAR_FUTURE_MS);
      return;
    case 6: {
      const atMs = dice.below(2) * FAR_FUTURE_MS;
      tx.setFieldExpiry(database, hash, 0, hash.length, field, 0, field.length, atMs);
      return;
    }
    case 14:
      tx.copy(database, hash, 0, hash.length, dice.below(3), COPY, 0, COPY.length);
      return;
    case 7:
      tx.removeField(database, hash, 0, hash.length, field, 0, field.length);
      return;
    case 8:
    case 9:
      tx.patchString(database, key, 0, key.length, 5, value, 0, value.length, 5 + value.length);
      return;
    case 10:
    case 11:
    case 12:
    case 13:
      tx.putField(database, hash, 0, hash.length, field, 0, field.length, value, 0, value.length);
      return;
    default:
      tx.putString(database, key, 0, key.length, value, 0, value.length, 0);
  }
}
