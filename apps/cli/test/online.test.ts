/** Every command that asks a server, against the real one. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningServer, serverConfig, startServer } from '@nendb/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nen, tempDir } from './support/nen.js';

type Config = Parameters<typeof serverConfig>[0];

async function server(config: Config = {}): Promise<{ server: RunningServer; dir: string }> {
  const dir = join(tempDir(), 'data');
  const started = await startServer(
    serverConfig({ port: 0, dir, logLevel: 'silent', regionBytes: 2 ** 26, ...config }),
  );
  onTestFinished(() => started.stop('the test is over'));
  return { server: started, dir };
}

describe('nen exec, online', () => {
  test('finds the server by --url, and by the LOCK in its directory', async () => {
    const { server: running, dir } = await server();
    const set = await nen(['exec', '--url', running.url, 'SET', 'k', 'v']);
    expect(set).toEqual({ code: 0, stdout: 'OK\n', stderr: '' });
    expect((await nen(['exec', '--dir', dir, 'GET', 'k'])).stdout).toBe('v\n');
    const cwd = join(dir, '..');
    expect((await nen(['exec', 'GET', 'k'], { cwd })).stdout).toBe('v\n');
  });

  test('selects a database by flag and by address', async () => {
    const { server: running } = await server();
    await nen(['exec', '--url', running.url, '-n', '2', 'SET', 'k', 'two']);
    expect((await nen(['exec', '--url', `${running.url}/2`, 'GET', 'k'])).stdout).toBe('two\n');
    expect((await nen(['exec', '--url', running.url, 'EXISTS', 'k'])).stdout).toBe('0\n');
  });

  test('prints RESP3 maps as objects with --json', async () => {
    const { server: running } = await server();
    await nen(['exec', '--url', running.url, 'HSET', 'h', 'f', '1']);
    const { stdout } = await nen(['exec', '--json', '--url', running.url, 'HGETALL', 'h']);
    expect(JSON.parse(stdout)).toEqual({ f: '1' });
  });

  test('an error reply is exit 1, on stderr', async () => {
    const { server: running } = await server();
    await nen(['exec', '--url', running.url, 'HSET', 'h', 'f', '1']);
    const { code, stdout, stderr } = await nen(['exec', '--url', running.url, 'GET', 'h']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('WRONGTYPE');
  });

  test('SHUTDOWN ends the server and is exit 0', async () => {
    const { server: running, dir } = await server();
    const { code, stdout } = await nen(['exec', '--url', running.url, 'SHUTDOWN']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect((await running.ended).exitCode).toBe(0);
    expect(JSON.parse((await nen(['status', '--json', '--dir', dir])).stdout).running).toBe(false);
  });

  test('gives the password of the server by file, and hides it', async () => {
    const secret = join(tempDir(), 'secret');
    writeFileSync(secret, 'sesame\n');
    const { dir } = await server({ requirepassFile: secret });
    const refused = await nen(['exec', '--dir', dir, 'PING']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('NOAUTH');
    expect(refused.stderr).toContain('--password-file');
    const argv = ['exec', '--dir', dir, '--requirepass-file', secret, 'PING'];
    expect(await nen(argv)).toEqual({ code: 0, stdout: 'PONG\n', stderr: '' });
    const env = { NENDB_PASSWORD: 'wrong' };
    const wrong = await nen(['status', '--json', '--dir', dir], { env });
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stderr).error.code).toBe('WRONGPASS');
    expect(wrong.stderr).not.toContain('"wrong"');
  });
});

describe('nen status, online', () => {
  test('is the document of the server', async () => {
    const { server: running, dir } = await server();
    await nen(['exec', '--dir', dir, 'SET', 'k', 'v']);
    const { code, stdout, stderr } = await nen([
      ...['status', '--json', '--fail-on-unhealthy'],
      ...['--dir', dir],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema_version: 1,
      running: true,
      healthy: true,
      wal_health: { healthy: true, io_error_count: 0, last_error: null, end_pos: { lsn: '1' } },
      store: { kind: 'dash', keys: 1, region: { backend: 'heap' } },
      snapshot: { file: null, lsn: null },
      server: { address: running.url, pid: process.pid },
    });
    expect(document.resources.rss_bytes).toBeGreaterThan(0);
  });

  test('offline it has the same keys', async () => {
    const { server: running, dir } = await server();
    const online = JSON.parse((await nen(['status', '--json', '--dir', dir])).stdout);
    await running.stop('the test wants it offline');
    const offline = JSON.parse((await nen(['status', '--json', '--dir', dir])).stdout);
    expect(Object.keys(offline)).toEqual(Object.keys(online));
    for (const section of ['recovery', 'wal_health', 'store', 'snapshot']) {
      expect(Object.keys(offline[section])).toEqual(Object.keys(online[section]));
    }
    expect([online.running, offline.running]).toEqual([true, false]);
    expect(offline.store.database_uuid).toBe(online.store.database_uuid);
  });

  test('is readable for people', async () => {
    const { dir } = await server();
    const { stdout } = await nen(['status', '--dir', dir]);
    expect(stdout).toMatch(/^healthy, running\n\nserver\n/);
  });
});

describe('nen snapshot, online', () => {
  test('create lets the server write an image; list and verify read the file', async () => {
    const { dir } = await server();
    await nen(['exec', '--dir', dir, 'SET', 'k', 'v']);
    const { code, stdout } = await nen(['snapshot', 'create', '--json', '--dir', dir]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file: 'nendb.snapshot', lsn: '1' });
    expect(readdirSync(dir)).toContain('nendb.snapshot');
    const list = JSON.parse((await nen(['snapshot', 'list', '--json', '--dir', dir])).stdout);
    expect(list.snapshots).toMatchObject([{ role: 'newest', state: 'unchecked', lsn: '1' }]);
    expect((await nen(['snapshot', 'verify', '--dir', dir])).code).toBe(0);
  });
});
