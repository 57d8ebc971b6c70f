import { type Failure, type SimImage, SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy } from '@nendb/wal';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.js';
import { EngineError } from '../../src/errors.js';
import type { StoreKind } from '../../src/types.js';
import { stateOf } from './state.js';
import { engineOptions } from './workload.js';

const STEPS = 24;

/** What a faulty run has promised and said. */
interface Outcome {
  states: string[];
  ackedLsn: number;
  /** Of that, what a finished sync covered. */
  syncedLsn: number;
  /** The record that was being committed last: it may be in the log where its commit failed. */
  last: { key: Buffer; value: Buffer };
  /** How the failure showed: to whoever called, in health, or in the snapshot's status. */
  told: string[];
}

/** Writes, acknowledges, snapshots, closes and opens again, until a failure ends it. */
async function runFaulty(sim: SimVfs, sync: SyncPolicy, store?: StoreKind): Promise<Outcome> {
  const outcome: Outcome = {
    ...{ states: ['[]'], ackedLsn: 0, syncedLsn: 0, told: [] },
    last: { key: Buffer.alloc(0), value: Buffer.alloc(0) },
  };
  let engine: Engine | undefined;
  try {
    engine = await Engine.open(engineOptions(sim, sync, store));
    engine.onFatal((error) => outcome.told.push(`fatal ${error.message}`));
    for (let step = 0; step < STEPS; step++) {
      if (step === 8 || step === 16) {
        await engine
          .snapshot()
          .catch((error: Error) => outcome.told.push(`snapshot ${error.message}`));
      }
      if (step === 12) {
        await engine.close();
        engine = await Engine.open(engineOptions(sim, sync, store));
        engine.onFatal((error) => outcome.told.push(`fatal ${error.message}`));
      }
      commit(engine, outcome, step);
      await engine.barrier();
      outcome.ackedLsn = engine.appliedLsn;
      outcome.syncedLsn = engine.syncedLsn;
    }
  } catch (error) {
    if (!(error instanceof EngineError)) outcome.told.push('UNTYPED');
    outcome.told.push(`caller ${String(error)}`);
  }
  if (engine) {
    await sim.settle(20).catch(() => undefined);
    const { state, healthy, reason } = engine.health();
    if (!healthy && state !== 'closed') outcome.told.push(`health ${state} ${reason}`);
    await engine.close().catch((error: Error) => outcome.told.push(`close ${error.message}`));
  }
  return outcome;
}

function commit(engine: Engine, outcome: Outcome, step: number): void {
  const tx = engine.begin();
  const key = Buffer.from(`key${step % 5}`);
  const value = Buffer.alloc(step % 6 === 0 ? 4_000 : 100, `${step}`);
  outcome.last = { key, value };
  try {
    tx.putString(0, key, 0, key.length, value, 0, value.length, 0);
    const lsn = engine.commit();
    outcome.states[lsn] = stateReadTwice(engine, outcome);
  } catch (error) {
    engine.abort();
    throw error;
  }
}

/** A store on disk may have to read for it: one read fails, and the next one is as good as ever. */
function stateReadTwice(engine: Engine, outcome: Outcome): string {
  try {
    return stateOf(engine);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    outcome.told.push(`reader ${error.message}`);
    return stateOf(engine);
  }
}

/** The state with the record whose commit failed after it had its LSN (R7: a read of the store on disk failed). */
function stateWithLast({ states, told, last }: Outcome): string {
  expect(told.join()).toContain('fatal');
  const before: [number, [string, number, string][]][] = JSON.parse(states[states.length - 1]);
  const key = String(last.key);
  const others = (before[0]?.[1] ?? []).filter(([each]) => each !== key);
  return JSON.stringify([[0, [...others, [key, 0, String(new Uint8Array(last.value))]].sort()]]);
}

async function expectRecovered(
  image: SimImage,
  outcome: Outcome,
  floor: number,
  store?: StoreKind,
): Promise<void> {
  const sim = SimVfs.fromImage(image, { seed: 5 });
  await sim.run(async () => {
    const engine = await Engine.open(engineOptions(sim, 'always', store));
    expect(engine.appliedLsn).toBeGreaterThanOrEqual(floor);
    const lsn = engine.appliedLsn;
    expect(lsn).toBeLessThanOrEqual(outcome.states.length);
    expect(stateOf(engine)).toBe(outcome.states[lsn] ?? stateWithLast(outcome));
    await engine.close();
  });
}

async function countOf(op: Failure['op'], sync: SyncPolicy, store?: StoreKind): Promise<number> {
  const sim = new SimVfs({ seed: 3, record: false });
  await sim.run(() => runFaulty(sim, sync, store));
  return sim.counts[op];
}

const OPS = ['write', 'sync', 'syncDir', 'create', 'rename', 'truncate', 'unlink', 'read'] as const;

/** Lets each operation of the kind fail once, and looks at what is left. */
async function failEverywhere(
  op: Failure['op'],
  error: 'EIO' | 'ENOSPC',
  sync: SyncPolicy,
  store?: StoreKind,
): Promise<void> {
  const count = await countOf(op, sync, store);
  for (let nth = 1; nth <= count; nth++) {
    const sim = new SimVfs({ seed: 3 });
    const syncFailure = (['clean-new', 'clean-old'] as const)[nth % 2];
    sim.faults.failAt({ op, nth, error, ...(op === 'sync' && { syncFailure }) });
    const outcome = await sim.run(() => runFaulty(sim, sync, store));
    const where = `${error} at ${op} ${nth} of ${count}: ${outcome.told.join('; ')}`;
    sim.faults.assertAllFired();
    expect(outcome.told, where).not.toContain('UNTYPED');
    // What is not told must have done no harm: everything was acknowledged to the end.
    if (outcome.told.length === 0) expect(outcome.ackedLsn, where).toBe(STEPS);
    const floor = sync === 'always' ? outcome.ackedLsn : outcome.syncedLsn;
    // A failed sync may drop what was only in the cache: then a kill costs what power costs.
    const killFloor = op === 'sync' ? floor : outcome.ackedLsn;
    await expectRecovered(sim.crashImage({ kind: 'kill' }), outcome, killFloor, store);
    // EIO and ENOSPC at the same operation lose different things, and their neighbours the third.
    const choice = (['none', 'all', { seed: nth }] as const)[(nth + error.length) % 3];
    await expectRecovered(sim.crashImage({ choice }), outcome, floor, store);
  }
}

describe('an operation that fails', () => {
  for (const sync of ['always', { windowMs: 4 }] as const) {
    for (const op of OPS) {
      for (const error of ['EIO', 'ENOSPC'] as const) {
        it(`R10: ${error} at every ${op} under ${JSON.stringify(sync)} loses nothing acknowledged, and is told`, () =>
          failEverywhere(op, error, sync));
      }
    }
  }

  for (const op of OPS) {
    it(`R10: EIO at every ${op} with the store lsm loses nothing acknowledged, and is told`, () =>
      failEverywhere(op, 'EIO', 'always', 'lsm'));
  }
});
