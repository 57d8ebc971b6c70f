/** The built program as people run it: exit codes, streams, signals, `npm run nen`. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { outcomeOf, REPOSITORY, readyAddress, startNen, tempDir } from './support/nen.js';

describe('the built nen', () => {
  test('npm run -s nen -- version: one line on stdout and nothing else', async () => {
    const child = spawn('npm', ['run', '-s', 'nen', '--', 'version', '--json'], {
      cwd: REPOSITORY,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { code, stdout } = await outcomeOf(child);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema_version: 1, node: process.versions.node });
  });

  test('exit codes reach the shell', async () => {
    const dir = tempDir();
    const cases: [string[], number][] = [
      [['version'], 0],
      [['nonsense'], 2],
      [['status', '--dir', join(dir, 'gone')], 4],
      [['exec', '--url', 'redis://127.0.0.1:1', 'PING'], 7],
      [['serve', '--nonsense'], 2],
    ];
    const outcomes = await Promise.all(cases.map(([argv]) => outcomeOf(startNen(argv))));
    expect(outcomes.map(({ code }) => code)).toEqual(cases.map(([, code]) => code));
    expect(outcomes[4].stdout).toBe('');
  });

  test('a reader that stops reading ends it quietly', async () => {
    const child = startNen(['--help']);
    child.stdout?.destroy();
    const { code, stderr } = await outcomeOf(child);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('Ctrl-C ends a command that waits: the shell sees 130', async () => {
    const silent = createServer();
    const asked = new Promise((resolve) => silent.once('connection', resolve));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const child = startNen(['exec', '--url', `redis://127.0.0.1:${port}`, 'PING']);
    const ended = new Promise((resolve) => {
      child.on('close', (_code, signal) => resolve(signal));
    });
    await asked;
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
  });

  test('serve is the server: ready line, answers, stops on SIGINT with exit 0', async () => {
    const dir = join(tempDir(), 'data');
    const serve = startNen(['serve', '--port', '0', '--dir', dir]);
    const end = outcomeOf(serve);
    const url = await readyAddress(serve);
    const set = await outcomeOf(startNen(['exec', '--url', url, 'SET', 'k', 'v']));
    expect(set).toEqual({ code: 0, stdout: 'OK\n', stderr: '' });

    const second = await outcomeOf(startNen(['serve', '--port', '0', '--dir', dir]));
    expect(second.code).toBe(5);
    expect(second.stderr).toContain(String(serve.pid));

    serve.kill('SIGINT');
    expect((await end).code).toBe(0);
    const get = await outcomeOf(startNen(['exec', '--dir', dir, 'GET', 'k']));
    expect(get).toEqual({ code: 0, stdout: 'v\n', stderr: '' });
  });

  test('after kill -9 the directory is offline, sound, and has what was acknowledged', async () => {
    const dir = join(tempDir(), 'data');
    const serve = startNen(['serve', '--port', '0', '--dir', dir]);
    const ended = outcomeOf(serve);
    const url = await readyAddress(serve);
    await outcomeOf(startNen(['exec', '--url', url, 'SET', 'k', 'v']));
    serve.kill('SIGKILL');
    await ended;
    const status = await outcomeOf(
      startNen(['status', '--json', '--fail-on-unhealthy', '--dir', dir]),
    );
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      running: false,
      healthy: true,
      wal_health: { last_lsn: '1' },
    });
    const get = await outcomeOf(startNen(['exec', '--dir', dir, 'GET', 'k']));
    expect(get.stdout).toBe('v\n');
  });

  test('a data directory of something else is left alone', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'data'));
    writeFileSync(join(cwd, 'data', 'mine.txt'), 'mine');
    const { code, stderr } = await outcomeOf(startNen(['exec', 'SET', 'k', 'v'], { cwd }));
    expect(code).toBe(4);
    expect(stderr).toContain('expected a database in');
  });
});
