/** kill -9 of a process that allocates in a mapped region: what it said is there, nothing is lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isBuilt } from '../built.js';
import { shmDirectory } from '../machine.js';
import { killOne, wrongAfter } from './killed.js';

describe.skipIf(!isBuilt).each([
  ['on a disk', tmpdir(), 4],
  ['in memory', shmDirectory ?? tmpdir(), 6],
])('kill -9 %s', (_where, parent, rounds) => {
  test(`${rounds} times in a row`, async () => {
    const dir = mkdtempSync(join(parent, 'nendb-pmem-kill-'));
    const path = join(dir, 'region');
    try {
      for (let round = 0; round < rounds; round++) {
        const published = await killOne(path, round + 1, 5 + ((round * 17) % 60));
        expect(published).toBeGreaterThan(0);
        expect(await wrongAfter(path, published), `round ${round}`).toBeUndefined();
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
