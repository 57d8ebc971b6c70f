/**
 * The README's example, as somebody runs it who has never heard of this repository: packed, installed
 * from the tarballs into an empty folder without a network, and run there.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Wal } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { isBuilt, PACKAGES } from './built.js';

const run = promisify(execFile);

/** Packs everything that the package needs, what it depends on included; returns the tarballs. */
async function packAll(to: string): Promise<string[]> {
  const pnpm = createRequire(import.meta.url).resolve('pnpm');
  const pnpmCli = join(dirname(pnpm), 'bin', 'pnpm.cjs');
  const flags = ['--pack-destination', to];
  const crc = createRequire(`${PACKAGES[0]}/package.json`).resolve('crc-32/package.json');
  await Promise.all([
    ...PACKAGES.map((cwd) => run(process.execPath, [pnpmCli, 'pack', ...flags], { cwd })),
    run('npm', ['pack', '--ignore-scripts', ...flags], { cwd: dirname(crc) }),
  ]);
  return readdirSync(to).map((name) => join(to, name));
}

describe.skipIf(!isBuilt)('the package', () => {
  test("is installed from its tarball into an empty folder, and runs the README's example", async () => {
    const root = mkdtempSync(join(tmpdir(), 'nendb-wal-packed-'));
    try {
      const [tarballs, folder] = ['tarballs', 'program'].map((name) =>
        mkdtempSync(join(root, name)),
      );
      const packed = await packAll(tarballs);
      expect(packed).toHaveLength(PACKAGES.length + 1);
      writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
      const flags = ['--offline', '--no-audit', '--no-fund', '--cache', join(root, 'cache')];
      await run('npm', ['install', ...flags, ...packed], { cwd: folder });

      const readme = readFileSync(join(folder, 'node_modules/@nendb/wal/README.md'), 'utf8');
      const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
      writeFileSync(join(folder, 'example.js'), example);
      const first = await run(process.execPath, ['example.js'], { cwd: folder });
      expect(first.stdout).toBe('clean 0\n1 hello\n2 a\n3 b\n');
      const again = await run(process.execPath, ['example.js'], { cwd: folder });
      expect(again.stdout).toBe('clean 3\n4 hello\n5 a\n6 b\n');
      expect(await Wal.verify(join(folder, 'log'))).toMatchObject({
        verdict: 'clean',
        records: 6,
        findings: [],
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
