/**
 * Any run of writes, damage and losses against what must always hold: a write never costs the newest
 * valid image that was there before it, and never leaves more than it was told to keep.
 */
import { Snapshot } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIR, loadedNumber, putFile, readFile, write } from './fixture.js';
import { seeds } from './seeds.js';

type Step =
  | { kind: 'write'; keep: number | undefined }
  | { kind: 'damage' | 'lose'; which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      keep: fc.option(fc.nat(3), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('damage' as const, 'lose' as const),
      which: fc.nat(5),
    }),
  },
);

/** The LSNs of the valid images, the newest first. */
async function validLsns(vfs: Vfs): Promise<number[]> {
  const reports = await Snapshot.verify(DIR, { vfs });
  const lsns = reports.flatMap(({ state, info }) =>
    state === 'valid' && info ? [info.header.lsn] : [],
  );
  return lsns.sort((a, b) => b - a);
}

/** Spoils or unlinks one of the images that are there. */
async function spoil(vfs: Vfs, { kind, which }: Extract<Step, { which: number }>): Promise<void> {
  const reports = await Snapshot.inspect(DIR, { vfs });
  if (reports.length === 0) return;
  const path = `${DIR}/${reports[which % reports.length].file}`;
  if (kind === 'lose') return vfs.unlink(path);
  const bytes = await readFile(vfs, path);
  bytes[(which * 37) % bytes.length] ^= 0x40;
  await putFile(vfs, path, bytes);
}

describe('R4: any run of writes and losses', () => {
  it.each(seeds)(
    'keeps the newest valid image, and what it was told to (%s)',
    async (_name, seed) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          const sim = new SimVfs({ record: false, seed });
          await sim.run(async () => {
            let n = 0;
            for (const each of steps) {
              if (each.kind !== 'write') {
                await spoil(sim, each);
                continue;
              }
              const before = await validLsns(sim);
              n++;
              await write(sim, n, { keep: each.keep });
              const after = await validLsns(sim);
              expect(after[0]).toBe(n * 10);
              if (before.length > 0) expect(after).toContain(before[0]);
              expect(await loadedNumber(sim)).toBe(n);
              const reports = await Snapshot.verify(DIR, { vfs: sim });
              const kept = reports.filter(({ role }) => role === 'kept').length;
              const bakIsValid = reports.some(
                ({ role, state }) => role === 'bak' && state === 'valid',
              );
              if (each.keep !== undefined && bakIsValid)
                expect(kept).toBeLessThanOrEqual(each.keep);
            }
          });
          sim.assertClean();
        }),
        { seed, numRuns: 15 },
      );
    },
  );
});
