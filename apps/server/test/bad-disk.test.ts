/** The whole server on a disk that misbehaves, from the outside. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HEALTH_WATCH_MS } from '../src/limits.js';
import { type DiskFault, spawnServer } from './server-process.js';
import { sleep, temporaryDirectory } from './test-server.js';

/** What `failing-disk.mjs` adds to each sync. */
const SLOW_MS = 200;

function serve(fault: DiskFault, sync: string) {
  const dir = join(temporaryDirectory(), 'data');
  return spawnServer(['--port', '0', '--dir', dir, '--sync', sync], { fault });
}

describe('R9: a disk that is slow', () => {
  it('R9: replies wait for their sync, a reader of the write with them, and share it', async () => {
    const server = serve('slow', 'always');
    const writers = await Promise.all(Array.from({ length: 10 }, server.client));
    const reader = await server.client();
    await writers[0].call('SET', 'k', '0');
    server.child.kill('SIGUSR2');
    await sleep(50);
    // The log learns from this one that syncs belong into the thread pool.
    await writers[0].call('SET', 'k', '1');
    const before = JSON.parse(String(await reader.call('NENDB', 'STATUS')));

    const startMs = performance.now();
    const since = () => performance.now() - startMs;
    writers[0].send('SET', 'k', '2');
    const replied = writers[0].next().then(since);
    let seen: unknown;
    const read = (async () => {
      do seen = await reader.call('GET', 'k');
      while (seen !== '2');
      return since();
    })();
    const others = writers.slice(1).map(async (writer, i) => {
      await sleep(20);
      expect(await writer.call('INCR', `n${i}`)).toBe(1);
      return since();
    });
    const [repliedMs, readMs, ...othersMs] = await Promise.all([replied, read, ...others]);
    expect(repliedMs).toBeGreaterThanOrEqual(SLOW_MS - 5);
    expect(readMs).toBeGreaterThanOrEqual(SLOW_MS - 5);
    for (const otherMs of othersMs) expect(otherMs).toBeGreaterThanOrEqual(SLOW_MS);

    const after = JSON.parse(String(await reader.call('NENDB', 'STATUS')));
    expect(after.wal_health.appends - before.wal_health.appends).toBe(writers.length);
    expect(after.wal_health.syncs - before.wal_health.syncs).toBeLessThanOrEqual(4);
  });

  it('under a weak policy replies do not wait for the sync', async () => {
    const server = serve('slow', '50ms');
    const client = await server.client();
    await client.call('SET', 'k', '0');
    server.child.kill('SIGUSR2');
    await sleep(50);
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      const startMs = performance.now();
      expect(await client.call('INCR', 'k')).toBe(i + 1);
      times.push(performance.now() - startMs);
      await sleep(2);
    }
    times.sort((a, b) => a - b);
    expect(times[25]).toBeLessThan(SLOW_MS / 2);
  });
});

describe('R10: a disk that fails', () => {
  it.each([
    ['sync', 'always'],
    ['write', 'always'],
    ['write', '20ms'],
    ['write', 'os'],
  ] as const)(
    'R10: a failed %s under %s ends the server, and no reply is sent',
    async (fault, sync) => {
      const server = serve(fault, sync);
      const [writer, reader] = [await server.client(), await server.client()];
      expect(await writer.call('SET', 'k', 'old')).toBe('OK');
      server.child.kill('SIGUSR2');
      await sleep(50);
      writer.send('SET', 'k', 'new');
      reader.send('GET', 'k');
      const { code } = await server.exited;
      expect(code).toBe(1);
      await writer.closed;
      expect(writer.arrived()).toBeUndefined();
      await reader.closed;
      expect([undefined, 'old']).toContain(reader.arrived());
      expect(server.stderr()).toMatch(/"level":60.*EIO/);
      expect(server.stderr()).toMatch(/^nendb-server: the engine cannot go on: .*EIO/m);
      expect(server.stdout().split('\n')).toHaveLength(2);
    },
  );

  it('R10: a failed sync under a weak policy refuses writes, serves reads, and says so', async () => {
    const server = serve('sync', '20ms');
    const client = await server.client();
    expect(await client.call('SET', 'k', 'old')).toBe('OK');
    server.child.kill('SIGUSR2');
    await sleep(50);
    // The log notices at its next sync, which this write brings about if nothing else did before.
    const expected = (await client.call('SET', 'k', 'new')) === 'OK' ? 'new' : 'old';
    await sleep(HEALTH_WATCH_MS + 100);
    expect(String(await client.call('SET', 'k', 'refused'))).toMatch(/MISCONF /);
    client.send('MULTI');
    client.send('SET', 'k', 'refused');
    client.send('EXEC');
    await client.next();
    expect(String(await client.next())).toMatch(/MISCONF /);
    expect(String(await client.next())).toMatch(/EXECABORT /);
    expect(await client.call('GET', 'k')).toBe(expected);
    const status = JSON.parse(String(await client.call('NENDB', 'STATUS')));
    expect(status).toMatchObject({
      healthy: false,
      wal_health: { healthy: false, state: 'read-only', io_error_count: 1 },
    });
    expect(status.wal_health.last_error).toContain('EIO');
    expect(server.child.exitCode).toBeNull();
    server.child.kill('SIGTERM');
    expect((await server.exited).code).toBe(1);
    expect(server.stderr()).toMatch(/"level":50.*"state":"read-only".*EIO/);
    expect(server.stderr()).toMatch(/^nendb-server: the log had failed before: .*EIO/m);
  });
});
