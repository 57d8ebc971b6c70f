/**
 * The simulator is a model of the real machine: the same random program, run on both, must see the
 * same results, the same error codes and the same bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode, nodeVfs, type Vfs, type VfsFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertySeeds } from './seeds.js';

const path = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/e', 'd/e/f', 'a/x');
const mode = fc.constantFrom('read' as const, 'write' as const, 'create' as const);

const step = fc.oneof(
  fc.record({ op: fc.constant('open' as const), path, mode }),
  fc.record({ op: fc.constant('mkdir' as const), path }),
  fc.record({ op: fc.constant('unlink' as const), path }),
  fc.record({ op: fc.constant('readdir' as const), path }),
  fc.record({ op: fc.constant('stat' as const), path }),
  fc.record({ op: fc.constant('syncDir' as const), path }),
  fc.record({ op: fc.constant('rename' as const), path, to: path }),
  fc.record({
    op: fc.constant('write' as const),
    file: fc.nat(3),
    at: fc.nat(1500),
    length: fc.nat(1200),
  }),
  fc.record({ op: fc.constant('truncate' as const), file: fc.nat(3), size: fc.nat(2000) }),
  fc.record({ op: fc.constant('read' as const), file: fc.nat(3), at: fc.nat(2500) }),
  fc.record({ op: fc.constant('sync' as const), file: fc.nat(3) }),
  fc.record({ op: fc.constant('close' as const), file: fc.nat(3) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs a program below `dir`; returns what it saw, step by step. */
async function observe(vfs: Vfs, dir: string, steps: readonly Step[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  const files: (VfsFile | undefined)[] = [];
  for (const [n, one] of steps.entries()) {
    try {
      seen.push(await perform(vfs, dir, files, one, n));
    } catch (error) {
      seen.push(errorCode(error));
    }
  }
  for (const file of files) if (file !== undefined) await file.close();
  return seen;
}

async function perform(
  vfs: Vfs,
  dir: string,
  files: (VfsFile | undefined)[],
  one: Step,
  n: number,
): Promise<unknown> {
  if ('file' in one) {
    const index = one.file % Math.max(files.length, 1);
    const file = files[index];
    if (file === undefined) return 'no file';
    switch (one.op) {
      case 'write':
        return file.writeAt(Buffer.alloc(one.length, n + 1), one.at);
      case 'truncate':
        return file.truncate(one.size);
      case 'sync':
        return file.sync();
      case 'close':
        files[index] = undefined;
        return file.close();
      case 'read': {
        const target = Buffer.alloc(700);
        const count = file.readAtSync(target, one.at);
        return [count, file.sizeSync(), target.subarray(0, count).toString('latin1')];
      }
    }
  }
  const at = `${dir}/${one.path}`;
  switch (one.op) {
    case 'open':
      // Opening a directory for reading is allowed by POSIX and of no use.
      if (one.mode === 'read' && vfs.statSync(at)?.kind === 'directory') return 'directory';
      files.push(await vfs.open(at, one.mode));
      return 'opened';
    case 'readdir':
      return (await vfs.readdir(at)).sort();
    case 'stat': {
      const stat = await vfs.stat(at);
      return stat?.kind === 'file' ? stat.size : stat?.kind;
    }
    case 'rename':
      return vfs.rename(at, `${dir}/${one.to}`);
    default:
      return vfs[one.op](at);
  }
}

describe('the simulated machine', () => {
  test.each(propertySeeds('machines agree'))(
    'shows a program what the real one shows it, seed %i',
    async (seed) => {
      const root = mkdtempSync(join(tmpdir(), 'nendb-agree-'));
      let runs = 0;
      try {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
            const dir = join(root, String(runs++));
            await nodeVfs.mkdir(dir);
            const sim = new SimVfs({ seed, order: seed % 2 === 0 ? 'random' : 'fifo' });
            sim.mkdirSync(dir);
            // What the kernel gives at once is no business of the program's.
            if (runs % 2 === 0) sim.faults.limitEachRead(100);
            const simulated = await sim.run(observe(sim, dir, steps));
            expect(simulated).toEqual(await observe(nodeVfs, dir, steps));
            sim.assertClean();
          }),
          { seed, numRuns: 60 },
        );
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  );
});
