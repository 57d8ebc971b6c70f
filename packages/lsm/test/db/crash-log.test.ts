/**
 * A tree with its own log that dies at every change of its disk: what opens is the state after some commit, not
 * before the last one that was acknowledged, and it can be written to again. Recovery dies as well.
 */
import type { LsmOptions } from '@nendb/lsm';
import { type CrashKind, type SimImage, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { stateOf, Witness } from './crash-work.js';
import { bytes, openSim } from './sim-tree.js';

const OPTIONS: Partial<LsmOptions> = {
  memtableBytes: 1 << 14,
  blockBytes: 256,
  tableBytes: 1024,
  level0RunsCompact: 2,
  filterBitsPerKey: 0,
  valueLog: { thresholdBytes: 60, fileBytes: 400 },
  logSegmentBytes: 4096,
};

async function live(seed: number, options: Partial<LsmOptions>): Promise<Witness> {
  const sim = new SimVfs({ seed });
  let witness: Witness | undefined;
  await sim.run(async () => {
    witness = new Witness(sim, await openSim(sim, options));
    const { db } = witness;
    const long = 'long'.repeat(25);
    for (let round = 0; round < 4; round++) {
      await witness.put('awaited', `${round}`);
      await Promise.all([
        witness.put('k1', `in flight ${round}`),
        witness.put('k2', `${long}${round}`),
        witness.putBoth('k3', 'k4', `both ${round}`),
      ]);
      await witness.delete(`k${round}`);
      if (round < 3) await db.flush();
      if (round === 2) await witness.deleteRange('k2', 'k4');
    }
    await db.settle();
    await db.close();
  });
  if (witness === undefined) throw new Error('expected a life');
  return witness;
}

/** Boots `image`, holds what it finds against what was promised, and writes on. */
async function reboot(
  witness: Witness,
  image: SimImage,
  options: Partial<LsmOptions>,
  bounds: { from: number; to: number },
  record = false,
): Promise<{ machine: SimVfs; found: number }> {
  const machine = SimVfs.fromImage(image, { seed: 7, record, order: 'fifo' });
  let found = -1;
  await machine.run(async () => {
    const db = await openSim(machine, options);
    const state = stateOf(db);
    found = witness.states.lastIndexOf(state, bounds.to);
    if (found < bounds.from) {
      throw new Error(`${image.label}: found ${state}, expected ${bounds.from} to ${bounds.to}`);
    }
    await db.put(bytes('more'), bytes('1'));
    expect(Buffer.from(db.get(bytes('more')) ?? []).toString()).toBe('1');
    await db.close();
  });
  machine.assertClean();
  return { machine, found };
}

/** A power cut may take what was acknowledged without a sync, but leaves the state after some commit. */
function promisedAt(
  witness: Witness,
  at: number,
  kind: CrashKind,
  { sync }: Partial<LsmOptions>,
): { from: number; to: number } {
  const bounds = witness.allowedAt(at);
  return kind === 'power' && sync === 'os' ? { from: 0, to: bounds.to } : bounds;
}

const CASES: { kind: CrashKind; options: Partial<LsmOptions> }[] = [
  { kind: 'power', options: { ...OPTIONS, sync: 'always' } },
  { kind: 'kill', options: { ...OPTIONS, sync: 'always' } },
  { kind: 'kill', options: { ...OPTIONS, sync: 'os' } },
  { kind: 'power', options: { ...OPTIONS, sync: 'os' } },
  { kind: 'power', options: { ...OPTIONS, encryption: { key: new Uint8Array(32).fill(9) } } },
];

describe.each(CASES)('R3, R14: a $kind crash, $options.sync', ({ kind, options }) => {
  it('at any change of the disk leaves the state after a commit, beyond the last promise', async () => {
    const witness = await live(5, options);
    let images = 0;
    const choices = { kind, samples: 4, subsetsMax: 8 };
    for (const { at, image } of witness.sim.crashImages(choices)) {
      images++;
      await reboot(witness, image, options, promisedAt(witness, at, kind, options));
    }
    expect(images).toBeGreaterThan(150);
  }, 120_000);

  it('and a recovery that dies loses nothing more', async () => {
    const witness = await live(6, options);
    let images = 0;
    for (let at = 20; at < witness.sim.changeCount; at += 17) {
      const image = witness.sim.crashImage({ at, kind, choice: { seed: at } });
      const bounds = promisedAt(witness, at, kind, options);
      const { machine, found } = await reboot(witness, image, options, bounds, true);
      const again = machine.crashImages({ kind, samples: 1, subsetsMax: 2 });
      for (const { image: nested } of again) {
        images++;
        const after = SimVfs.fromImage(nested, { seed: 8, record: false, order: 'fifo' });
        await after.run(async () => {
          const db = await openSim(after, options);
          const state = stateOf(db).replace(/(^| )more=1$/, '');
          const left = witness.states.lastIndexOf(state, bounds.to);
          if (left < bounds.from) throw new Error(`${nested.label}: ${left} < ${found}`);
          await db.close();
        });
      }
    }
    expect(images).toBeGreaterThan(100);
  }, 120_000);
});
