/** Cursors in every combination of bounds, direction, limit and seeks, against an array. */
import type { CursorOptions, Lsm } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { bytes, openSim, text } from './sim-tree.js';

const name = fc.nat(30).map((n) => `k${String(n).padStart(2, '0')}${n % 4 === 0 ? '0' : ''}`);
const bounds = fc.record(
  { gte: name, gt: name, lt: name, lte: name, reverse: fc.boolean(), limit: fc.nat(12) },
  { requiredKeys: [] },
);
const move = fc.oneof(
  { weight: 4, arbitrary: fc.constant('next' as const) },
  { weight: 1, arbitrary: name },
);

type Bounds = typeof bounds extends fc.Arbitrary<infer T> ? T : never;

function optionsOf({ gte, gt, lt, lte, ...rest }: Bounds): CursorOptions {
  const keys = Object.entries({ gte, gt, lt, lte }).filter(([, key]) => key !== undefined);
  return { ...rest, ...Object.fromEntries(keys.map(([side, key]) => [side, bytes(key ?? '')])) };
}

/** What `next` finds, one call after the other. */
function walked(keys: readonly string[], within: Bounds, moves: readonly string[]): string[] {
  const { gte = '', gt = '', lt = '~', lte = '~', reverse = false, limit = 1000 } = within;
  const inside = keys.filter(
    (key) => key >= gte && (gt === '' || key > gt) && key < lt && key <= lte,
  );
  if (reverse) inside.reverse();
  let at = 0;
  let left = limit;
  const found: string[] = [];
  for (const each of moves) {
    if (each === 'next') {
      const key = left > 0 ? inside[at] : undefined;
      if (key !== undefined) {
        at++;
        left--;
      }
      found.push(key ?? 'none');
    } else {
      const target = inside.findIndex((key) => (reverse ? key <= each : key >= each));
      at = target < 0 ? inside.length : target;
    }
  }
  return found;
}

async function filled(db: Lsm, keys: ReadonlySet<string>): Promise<void> {
  let n = 0;
  for (const key of keys) {
    await db.put(bytes(key), bytes(`value of ${key}`));
    if (++n % 7 === 0) await db.flush();
  }
}

describe.each(propertySeeds('lsm cursor'))('seed %i', (seed) => {
  it('a cursor walks what its options say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { maxLength: 25 }),
        fc.array(fc.tuple(bounds, fc.array(move, { maxLength: 20 })), { maxLength: 12 }),
        async (keys, walks) => {
          const sim = new SimVfs({ record: false });
          await sim.run(async () => {
            const db = await openSim(sim, { sync: 'os' });
            await filled(db, new Set(keys));
            const sorted = [...keys].sort();
            for (const [within, moves] of walks) {
              const cursor = db.cursor(optionsOf(within));
              const found: string[] = [];
              for (const each of moves) {
                if (each !== 'next') cursor.seek(bytes(each));
                else if (cursor.next()) {
                  const key = text(cursor.key) ?? '';
                  expect(text(cursor.keyView)).toBe(key);
                  expect(text(cursor.valueView)).toBe(`value of ${key}`);
                  expect(text(cursor.value)).toBe(`value of ${key}`);
                  found.push(key);
                } else found.push('none');
                expect(cursor.valid).toBe(each === 'next' && found.at(-1) !== 'none');
              }
              cursor.close();
              expect(found).toEqual(walked(sorted, within, moves));
            }
            await db.close();
          });
          sim.assertClean();
        },
      ),
      { seed, numRuns: 25 },
    );
  });
});
