/**
 * The scripts of a checkout: what they do when something under them fails or is missing.
 *
 *  - `npm start` on a machine that reaches no registry ended with exit 1 and not a word: the
 *    installer had been told to be silent, and so had npm around it.
 *  - `npm run nen` after a failed build went on and said that a module was missing.
 *  - Once `dist` of one package was deleted, no build brought it back: the compiler's notes beside it
 *    said that it was up to date.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Outcome, outcomeOf, REPOSITORY, tempDir } from './support/nen.js';

interface Manifest {
  scripts: Record<string, string>;
}

/** A checkout with the real scripts (some replaced) and nothing else. */
function checkout(replaced: Record<string, string> = {}): string {
  const dir = tempDir();
  const path = join(REPOSITORY, 'package.json');
  const { scripts, ...manifest }: Manifest = JSON.parse(readFileSync(path, 'utf8'));
  write(dir, 'package.json', { ...manifest, scripts: { ...scripts, ...replaced } });
  return dir;
}

function write(dir: string, path: string, content: object | string): void {
  const file = join(dir, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

/** `npm` with an empty home; the programs of this repository can be found. */
function npm(cwd: string, args: readonly string[], env: object = {}): Promise<Outcome> {
  const child = spawn('npm', args, {
    cwd,
    env: {
      PATH: `${join(REPOSITORY, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: join(cwd, 'home'),
      npm_config_update_notifier: 'false',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return outcomeOf(child);
}

describe('the scripts of a checkout', () => {
  test.each(['start', 'test'])('npm %s says on stderr why it cannot install', async (script) => {
    const { code, stdout, stderr } = await npm(checkout(), [script], {
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_fetch_retries: '0',
    });
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).toContain('http://127.0.0.1:9');
    expect(stdout).not.toContain('ECONNREFUSED');
    expect(code).toBe(1);
  });

  test('npm run nen ends where the build ends, with its error and its exit code', async () => {
    const dir = checkout({ build: 'echo the build is broken; exit 3', prebuild: 'true' });
    const { code, stdout, stderr } = await npm(dir, ['run', '-s', 'nen', '--', 'version']);
    expect({ code, stdout, stderr }).toEqual({
      code: 3,
      stdout: '',
      stderr: 'the build is broken\n',
    });
  });

  test('npm run nen runs what was built, and builds nothing', async () => {
    const dir = checkout({ build: 'echo not this; exit 3' });
    write(dir, 'apps/cli/dist/main.js', 'console.log(process.argv.slice(2).join());');
    const outcome = await npm(dir, ['run', '-s', 'nen', '--', 'exec', 'GET', '--', 'k']);
    expect(outcome).toEqual({ code: 0, stdout: 'exec,GET,--,k\n', stderr: '' });
  });

  test('a build brings back the output of one package that was deleted', async () => {
    const dir = checkout();
    const built = buildsOnePackage(dir);
    expect(await npm(dir, ['run', '-s', 'build:ts'])).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(built)).toBe(true);
    rmSync(join(built, '..'), { recursive: true });
    expect(await npm(dir, ['run', '-s', 'build:ts'])).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(built)).toBe(true);
  });

  test('what does not compile is not built: nothing can run it by mistake', async () => {
    const dir = checkout();
    const built = buildsOnePackage(dir, 'export const one: number = "one";\n');
    const { code, stdout } = await npm(dir, ['run', '-s', 'build:ts']);
    expect(stdout).toContain('error TS2322');
    expect(code).not.toBe(0);
    expect(existsSync(built)).toBe(false);
  });
});

/** Adds one package with the settings of the real ones; returns the path of its built module. */
function buildsOnePackage(dir: string, source = 'export const one = 1;\n'): string {
  const base = readFileSync(join(REPOSITORY, 'tsconfig.base.json'), 'utf8');
  write(dir, 'tsconfig.base.json', base.replace('"types": ["node"]', '"types": []'));
  write(dir, 'tsconfig.json', { files: [], references: [{ path: 'packages/one' }] });
  write(dir, 'packages/one/package.json', { name: 'one', type: 'module' });
  write(dir, 'packages/one/src/index.ts', source);
  write(dir, 'packages/one/tsconfig.json', {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      tsBuildInfoFile: '../../.cache/tsc/packages-one.tsbuildinfo',
    },
    include: ['src'],
  });
  return join(dir, 'packages/one/dist/index.js');
}
