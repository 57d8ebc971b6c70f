/**
 * The dry run's files behave as real ones and leave the real ones alone: random operations run on a
 * `DryRunVfs` over one copy of a directory and on another copy itself, and answer the same.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeVfs, type Vfs } from '@nendb/vfs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DryRunVfs } from '../src/offline/dry-run-vfs.js';
import { hashTree, tempDir } from './support/temp-dir.js';

const NAMES = ['old', 'older', 'new', 'newer', 'sub'];

type Operation =
  | { do: 'create' | 'read' | 'unlink' | 'mkdir'; name: string }
  | { do: 'rename'; name: string; to: string }
  | { do: 'write'; name: string; at: number; text: string }
  | { do: 'truncate'; name: string; length: number };

const name = fc.constantFrom(...NAMES.slice(0, 4));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constantFrom('create', 'read', 'unlink'), name }),
  fc.record({ do: fc.constant('rename'), name, to: name }),
  fc.record({ do: fc.constant('write'), name, at: fc.nat(6000), text: fc.string() }),
  fc.record({ do: fc.constant('truncate'), name, length: fc.nat(6000) }),
  fc.record({ do: fc.constant('mkdir'), name: fc.constantFrom('sub', 'sub/deep/deeper') }),
);

function makeDirectory(): string {
  const dir = tempDir();
  writeFileSync(join(dir, 'old'), 'old bytes');
  writeFileSync(join(dir, 'older'), Buffer.alloc(5000, 7));
  mkdirSync(join(dir, 'kept'));
  return dir;
}

/** What a program would see of one operation: a value, or the code of the error. */
async function perform(vfs: Vfs, dir: string, step: Operation): Promise<unknown> {
  const path = join(dir, step.name);
  try {
    switch (step.do) {
      case 'create':
        await (await vfs.open(path, 'create')).close();
        return 'created';
      case 'read':
        return await readAll(vfs, path);
      case 'unlink':
        return await vfs.unlink(path);
      case 'mkdir':
        return await vfs.mkdir(path);
      case 'rename':
        return await vfs.rename(path, join(dir, step.to));
      default:
        return await change(vfs, path, step);
    }
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

async function change(
  vfs: Vfs,
  path: string,
  step: Extract<Operation, { do: 'write' | 'truncate' }>,
): Promise<number> {
  const file = await vfs.open(path, 'write');
  try {
    if (step.do === 'truncate') await file.truncate(step.length);
    else await file.writeAt(Buffer.from(step.text), step.at);
    await file.sync();
    return file.sizeSync();
  } finally {
    await file.close();
  }
}

async function readAll(vfs: Vfs, path: string): Promise<string> {
  const file = await vfs.open(path, 'read');
  try {
    const target = Buffer.alloc((await file.size()) + 1);
    const count = await file.readAt(target, 0);
    return target.toString('latin1', 0, count);
  } finally {
    await file.close();
  }
}

async function listing(vfs: Vfs, dir: string): Promise<string[]> {
  const lines: string[] = [];
  for (const entry of (await vfs.readdir(dir)).sort()) {
    const stat = await vfs.stat(join(dir, entry));
    lines.push(`${entry} ${stat?.kind} ${stat?.kind === 'file' ? stat.size : ''}`);
  }
  return lines;
}

describe('a dry run', () => {
  const rotating = Date.now() & 0x7fffffff;
  test.each([1, 2, rotating])('answers as the real files do (seed %i)', async (seed) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 24 }), async (steps) => {
        const real = makeDirectory();
        const base = makeDirectory();
        const before = hashTree(base);
        const dry = new DryRunVfs(nodeVfs);
        for (const step of steps) {
          expect(await perform(dry, base, step)).toEqual(await perform(nodeVfs, real, step));
          expect(await listing(dry, base)).toEqual(await listing(nodeVfs, real));
          const below = join(base, 'sub');
          if ((await dry.stat(below)) === undefined) continue;
          expect(await listing(dry, below)).toEqual(await listing(nodeVfs, join(real, 'sub')));
        }
        for (const entry of NAMES.slice(0, 4)) {
          const step: Operation = { do: 'read', name: entry };
          expect(await perform(dry, base, step)).toEqual(await perform(nodeVfs, real, step));
        }
        expect(hashTree(base)).toBe(before);
      }),
      { seed, numRuns: 40 },
    );
  });

  test('makes no directory where a file is', async () => {
    const dir = makeDirectory();
    await expect(new DryRunVfs(nodeVfs).mkdir(join(dir, 'old'))).rejects.toMatchObject({
      code: 'EEXIST',
    });
  });

  test('takes no lock', async () => {
    const dir = makeDirectory();
    await expect(new DryRunVfs(nodeVfs).lock(join(dir, 'LOCK'))).rejects.toMatchObject({
      code: 'EROFS',
    });
  });

  test('copies no large file', async () => {
    const dir = makeDirectory();
    writeFileSync(join(dir, 'large'), Buffer.alloc(1024 * 1024 + 1));
    await expect(new DryRunVfs(nodeVfs).open(join(dir, 'large'), 'write')).rejects.toMatchObject({
      code: 'EFBIG',
    });
  });
});
