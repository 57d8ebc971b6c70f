/** Crashes that once ended badly, again in every way that showed it. */
import { SimVfs } from '@nendb/vfs/sim';
import { expect, test } from 'vitest';
import { append, contents, Oracle, openSim } from '../sim-log.js';
import { promptly } from './prompt-vfs.js';

/*
 * A cut back was being finished: its segments had their names aside, then the process was killed, so
 * that only the cache knew of some of those names. The next opening found none left to rename, did not sync
 * the directory, and renamed `.next`. A power cut kept that rename and lost one before it: a segment
 * was back, those between were not, and nothing said any more that a cut was under way.
 */
test('R13: a cut whose finish is killed and then loses its power is still known for a cut', async () => {
  const sim = new SimVfs({ seed: 3 });
  const oracle = new Oracle();
  let from = 0;
  await sim.run(async () => {
    const { wal } = await openSim(sim);
    for (let i = 0; i < 18; i++) await append(wal, oracle, 900);
    from = sim.changeCount;
    await wal.truncateAfter(4);
  });
  const seen = new Set<string>();
  for (const { image } of sim.crashImages({ kind: 'kill', from })) {
    const killed = SimVfs.fromImage(image, { seed: 7 });
    await openSim(killed, { vfs: promptly(killed), lock: false });
    for (const { image: left } of killed.crashImages({ kind: 'power', samples: 4, seen })) {
      const after = SimVfs.fromImage(left, { seed: 7, record: false });
      const { wal } = await openSim(after, { vfs: promptly(after), lock: false });
      const texts = (await contents(wal)).map(([, text]) => text);
      const expected = texts.length > 4 ? oracle.payloads : oracle.payloads.slice(0, 4);
      expect(texts, left.label).toEqual(expected);
    }
  }
  expect(seen.size).toBeGreaterThan(500);
});
