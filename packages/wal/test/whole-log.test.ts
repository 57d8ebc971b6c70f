/** The whole log against a plain array: any run of everything that can be done to one. */
import type { SyncPolicy, WalOptions } from '@nendb/wal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as commands from './log-commands.js';
import { propertySeeds } from './seeds.js';

const RUNS = 15;

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.nat(120) },
  { weight: 2, arbitrary: fc.nat(1500) },
  { weight: 1, arbitrary: fc.nat(5000) },
);
/** Not `double`: of those there are as many below a thousandth as above. */
const part = fc.nat(999).map((thousandths) => thousandths / 1000);
const some = fc.array(bytes, { minLength: 1, maxLength: 5 });
const which = fc.nat(7);

const step = [
  bytes.map((size) => new commands.Append(size)),
  some.map((sizes) => new commands.AppendAside(sizes)),
  some.map((sizes) => new commands.AppendAside(sizes)),
  some.map((sizes) => new commands.AppendBatch(sizes)),
  some.map((sizes) => new commands.AppendBatch(sizes)),
  bytes.map((size) => new commands.AppendSync(size)),
  fc.constant(new commands.Sync()),
  fc.nat(400).map((ms) => new commands.Settle(ms)),
  fc.tuple(part, fc.boolean()).map(([at, leave]) => new commands.Follow(at, leave)),
  part.map((at) => new commands.Retain(at)),
  fc.tuple(which, part).map(([lease, at]) => new commands.Advance(lease, at)),
  which.map((lease) => new commands.Release(lease)),
  part.map((at) => new commands.TruncateBefore(at)),
  fc.nat(9).map((units) => new commands.TruncateAfter(units)),
  fc.constant(new commands.Reopen()),
  fc
    .tuple(fc.constantFrom('kill' as const, 'power' as const), fc.nat(1000))
    .map(([kind, choice]) => new commands.Crash(kind, choice)),
];

const options: fc.Arbitrary<Partial<WalOptions>> = fc.record({
  sync: fc.constantFrom<SyncPolicy>('always', 'always', 'os', { windowMs: 3 }, { every: 4 }),
  preallocate: fc.boolean(),
  preallocateBytes: fc.constantFrom(512, 1024, 4096),
  segmentBytesMax: fc.constantFrom(4096, 8192),
  compression: fc.constantFrom('none' as const, 'none' as const, 'deflate' as const),
  encryption: fc.constantFrom(undefined, undefined, { key: new Uint8Array(32).fill(5) }),
});

test.each(propertySeeds('whole log'))(
  'R2, R4, R13, R14: a log is the array that the same was done to, seed %i',
  async (seed) => {
    const done = new Set<string>();
    let removals = 0;
    let segmentsMost = 0;
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.nat(1000),
        fc.commands(step, { maxCommands: 60, size: 'max' }),
        async (given, machine, run) => {
          const model = new commands.Model();
          let real: commands.Real | undefined;
          await fc.asyncModelRun(async () => {
            real = await commands.Real.start(machine, given);
            return { model, real };
          }, run);
          await real?.end();
          removals += model.removals;
          segmentsMost = Math.max(segmentsMost, model.segmentsMost);
          for (const each of `${run}`.matchAll(/(\w+)\(/g)) done.add(each[1]);
        },
      ),
      { seed, numRuns: RUNS },
    );
    // Each of the commands has run.
    expect(done.size).toBe(14);
    expect(removals).toBeGreaterThan(3);
    expect(segmentsMost).toBeGreaterThan(4);
  },
);
