/** Lives that once ended badly, crashed again in every way that showed it. */
import { expect, test } from 'vitest';
import { LogSweep } from './sweep.js';

/*
 * A cut back was being finished: its segments had their names aside, then the process was killed, so
 * that only the cache knew of some of those names. The next opening found none left to rename, did not sync
 * the directory, and renamed `.next`. A power cut kept that rename and lost one before it: a segment
 * was back, those between were not, and nothing said any more that a cut was under way.
 */
test('R13: a cut whose finish is killed and then loses its power is still known for a cut', async () => {
  const sweep = new LogSweep({ imagesMax: Number.POSITIVE_INFINITY, nestEvery: 1 });
  await sweep.run(883820, 30);
  expect(sweep.result.cutsBack).toBeGreaterThan(0);
  expect(sweep.result.nested).toBeGreaterThan(4_000);
});
