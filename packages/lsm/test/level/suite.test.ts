/**
 * The whole suite of abstract-level, on files. It opens some thousand databases: in memory where the machine has a file system there,
 * without the lock (a process each) and without reserved log space.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NenLevel, type NenLevelOpenOptions, type NenLevelOptions } from '@nendb/lsm/level';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTape } from './tape.js';

type Factory = (options?: NenLevelOptions<string, string>) => NenLevel;
type Suite = (options: { test: unknown; factory: Factory }) => void;

const suite = createRequire(import.meta.url)('abstract-level/test') as Suite;
const IN_MEMORY = '/dev/shm';

/** Adds options where the suite does not see them: it looks at what hooks are given. */
class CheapLevel extends NenLevel {
  override _open(options: NenLevelOpenOptions): Promise<void> {
    return super._open({ ...options, lock: false, logPreallocateBytes: 0, memtableBytes: 1 << 16 });
  }
}

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'nendb-level-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

it('the whole suite of abstract-level passes', async () => {
  let databases = 0;
  const results = await runTape((test) => {
    const factory: Factory = (options) => new CheapLevel(join(dir, String(++databases)), options);
    suite({ test, factory });
  });
  const { tests, assertions, failures, skipped } = results;
  console.log(`${tests} tests, ${assertions} assertions, ${databases} databases`);
  expect(failures).toEqual([]);
  expect(skipped).toEqual([]);
  expect(assertions).toBeGreaterThan(5000);
}, 300_000);
