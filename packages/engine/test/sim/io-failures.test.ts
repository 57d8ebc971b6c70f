import { type Failure, type SimImage, SimVfs } from '@nendb/vfs/sim';
import type { SyncPolicy } from '@nendb/wal';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.js';
import { EngineError } from '../../src/errors.js';
import { stateOf } from './state.js';
import { engineOptions } from './workload.js';

const STEPS = 24;

/** What a faulty run has promised and said. */
interface Outcome {
  states: string[];
  ackedLsn: number;
  /** Of that, what a finished sync covered. */
  syncedLsn: number;
  /** How the failure showed: to whoever called, in health, or in the snapshot's status. */
  told: string[];
}

/** Writes, acknowledges, snapshots, closes and opens again, until a failure ends it. */
async function runFaulty(sim: SimVfs, sync: SyncPolicy): Promise<Outcome> {
  const outcome: Outcome = { states: ['[]'], ackedLsn: 0, syncedLsn: 0, told: [] };
  let engine: Engine | undefined;
  try {
    engine = await Engine.open(engineOptions(sim, sync));
    engine.onFatal((error) => outcome.told.push(`fatal ${error.message}`));
    for (let step = 0; step < STEPS; step++) {
      if (step === 8 || step === 16) {
        await engine
          .snapshot()
          .catch((error: Error) => outcome.told.push(`snapshot ${error.message}`));
      }
      if (step === 12) {
        await engine.close();
        engine = await Engine.open(engineOptions(sim, sync));
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
  try {
    tx.putString(0, key, 0, key.length, value, 0, value.length, 0);
    outcome.states[engine.commit()] = stateOf(engine);
  } catch (error) {
    engine.abort();
    throw error;
  }
}

async function expectRecovered(image: SimImage, outcome: Outcome, floor: number): Promise<void> {
  const sim = SimVfs.fromImage(image, { seed: 5 });
  await sim.run(async () => {
    const engine = await Engine.open(engineOptions(sim));
    expect(engine.appliedLsn).toBeGreaterThanOrEqual(floor);
    expect(stateOf(engine)).toBe(outcome.states[engine.appliedLsn]);
    await engine.close();
  });
}

async function countOf(op: Failure['op'], sync: SyncPolicy): Promise<number> {
  const sim = new SimVfs({ seed: 3, record: false });
  await sim.run(() => runFaulty(sim, sync));
  return sim.counts[op];
}

const OPS = ['write', 'sync', 'syncDir', 'create', 'rename', 'truncate', 'unlink', 'read'] as const;

describe('an operation that fails', () => {
  for (const sync of ['always', { windowMs: 4 }] as const) {
    for (const op of OPS) {
      for (const error of ['EIO', 'ENOSPC'] as const) {
        it(`R10: ${error} at every ${op} under ${JSON.stringify(sync)} loses nothing acknowledged, and is told`, async () => {
          const count = await countOf(op, sync);
          for (let nth = 1; nth <= count; nth++) {
            const sim = new SimVfs({ seed: 3 });
            const syncFailure = (['clean-new', 'clean-old'] as const)[nth % 2];
            sim.faults.failAt({ op, nth, error, ...(op === 'sync' && { syncFailure }) });
            const outcome = await sim.run(() => runFaulty(sim, sync));
            const where = `${error} at ${op} ${nth} of ${count}: ${outcome.told.join('; ')}`;
            sim.faults.assertAllFired();
            expect(outcome.told, where).not.toContain('UNTYPED');
            // What is not told must have done no harm: everything was acknowledged to the end.
            if (outcome.told.length === 0) expect(outcome.ackedLsn, where).toBe(STEPS);
            const floor = sync === 'always' ? outcome.ackedLsn : outcome.syncedLsn;
            // A failed sync may drop what was only in the cache: then a kill costs what power costs.
            const killFloor = op === 'sync' ? floor : outcome.ackedLsn;
            await expectRecovered(sim.crashImage({ kind: 'kill' }), outcome, killFloor);
            await expectRecovered(sim.crashImage({ choice: 'none' }), outcome, floor);
            await expectRecovered(sim.crashImage({ choice: 'all' }), outcome, floor);
            await expectRecovered(sim.crashImage({ choice: { seed: nth } }), outcome, floor);
          }
        });
      }
    }
  }
});
