/**
 * What a stranger gets: the packages as they are published, installed into an empty folder from
 * their tarballs alone, and the READMEs' examples run there as they stand.
 */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKAGES = ['codec', 'vfs', 'snapshot'];
/** What the packages depend on that is not ours. */
const FOREIGN = ['packages/codec/node_modules/crc-32'];

let dir: string;
let app: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-packed-'));
  app = join(dir, 'app');
  const tarballs = join(dir, 'tarballs');
  mkdirSync(app);
  mkdirSync(tarballs);
  const pnpm = join(ROOT, 'node_modules/.bin/pnpm');
  for (const name of PACKAGES) {
    await run(pnpm, ['pack', '--pack-destination', tarballs], {
      cwd: join(ROOT, 'packages', name),
    });
  }
  const offline = ['--offline', '--ignore-scripts', '--cache', join(dir, 'cache')];
  for (const path of FOREIGN) {
    await run('npm', ['pack', join(ROOT, path), '--pack-destination', tarballs, ...offline]);
  }
  writeFileSync(join(app, 'package.json'), '{ "private": true }');
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  await run('npm', ['install', '--no-audit', '--no-fund', ...offline, ...files], { cwd: app });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The programs in a README: its blocks of code that begin with an import. */
function examplesOf(name: string): string[] {
  const readme = readFileSync(join(ROOT, 'packages', name, 'README.md'), 'utf8');
  return [...readme.matchAll(/```ts\n(import [\s\S]*?)```/g)].map(([, program]) => program);
}

/** Runs the examples of a package's README in the empty folder; returns what each prints. */
async function runExamples(name: string): Promise<string[]> {
  const printed: string[] = [];
  for (const program of examplesOf(name)) {
    writeFileSync(join(app, `${name}.mjs`), program);
    printed.push((await run(process.execPath, [`${name}.mjs`], { cwd: app })).stdout);
  }
  return printed;
}

describe('the packages as they are published', () => {
  it('run the example of the snapshot README from an empty folder', async () => {
    expect(await runExamples('snapshot')).toEqual(['the whole state\n42 newest undefined\n']);
    expect(readdirSync(join(app, 'data'))).toEqual(['nendb.snapshot']);
  });

  it('run the examples of the codec README', async () => {
    expect(await runExamples('codec')).toEqual([
      expect.stringMatching(/^[0-9a-f]+\n42 1000000\n$/),
      expect.stringMatching(/^\d\d 1000\n$/),
      'secret\n',
    ]);
  });

  it('hold what they are run from and their types, and nothing of how they were made', () => {
    for (const name of PACKAGES) {
      const at = join(app, 'node_modules/@nendb', name);
      const manifest = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
      const entry = manifest.exports['.'];
      expect(Object.keys(entry)).toEqual(['types', 'default']);
      expect(existsSync(join(at, entry.types))).toBe(true);
      expect(existsSync(join(at, entry.default))).toBe(true);
      expect(existsSync(join(at, 'src'))).toBe(false);
      expect(existsSync(join(at, 'test'))).toBe(false);
      expect(JSON.stringify(manifest.dependencies ?? {})).not.toContain('workspace:');
    }
  });
});
