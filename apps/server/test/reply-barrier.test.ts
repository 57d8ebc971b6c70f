import type { WatchView } from '@nendb/engine';
import { describe, expect, it } from 'vitest';
import { heldEngine } from './held-engine.js';
import { sleep, start, until } from './test-server.js';

const LONG_ENOUGH_MS = 60;

async function startHeld(overrides: Parameters<typeof start>[0] = {}) {
  const engine = heldEngine();
  const test = await start(overrides, {
    openEngine: (options) => engine.open(options),
  });
  return { ...test, engine };
}

describe('R9: nothing leaves before it is durable', () => {
  it('R9: the reply to a write waits for the sync', async () => {
    const { client, engine } = await startHeld();
    const a = await client();
    engine.hold();
    a.send('SET', 'k', 'v');
    await until(() => engine.inner.appliedLsn === 1);
    await sleep(LONG_ENOUGH_MS);
    expect(a.receivedBytes).toBe(0);
    await engine.letThrough();
    expect(await a.next()).toBe('OK');
  });

  it('R9: a read by another connection waits for the write it saw', async () => {
    const { client, engine } = await startHeld();
    const [writer, reader] = [await client(), await client()];
    engine.hold();
    writer.send('SET', 'k', 'seen');
    await until(() => engine.inner.appliedLsn === 1);
    reader.send('GET', 'k');
    await sleep(LONG_ENOUGH_MS);
    expect(reader.receivedBytes).toBe(0);
    await engine.letThrough();
    expect(await reader.next()).toBe('seen');
    expect(await writer.next()).toBe('OK');
  });

  it('R9: not even an error or PING overtakes what was applied before it', async () => {
    const { client, engine } = await startHeld();
    const a = await client();
    engine.hold();
    a.send('SET', 'k', 'v');
    a.send('PING');
    a.send('NOSUCH');
    a.write('*1\r\n$-5\r\n');
    await until(() => engine.inner.appliedLsn === 1);
    await sleep(LONG_ENOUGH_MS);
    expect(a.receivedBytes).toBe(0);
    await engine.letThrough();
    expect(await a.next()).toBe('OK');
    expect(await a.next()).toBe('PONG');
    expect(String(await a.next())).toContain("unknown command 'NOSUCH'");
    expect(String(await a.next())).toContain('invalid bulk length');
    await a.closed;
  });

  it('replies to reads leave at once when everything is durable', async () => {
    const { client, engine } = await startHeld();
    const a = await client();
    expect(await a.call('SET', 'k', 'v')).toBe('OK');
    engine.hold();
    expect(await a.call('GET', 'k')).toBe('v');
  });

  it('R9: a MULTI of another client is seen whole or not at all, and only when durable', async () => {
    const { client, engine } = await startHeld();
    const [writer, reader] = [await client(), await client()];
    engine.hold();
    writer.send('MULTI');
    writer.send('SET', 'a', '1');
    writer.send('SET', 'b', '1');
    writer.send('EXEC');
    await until(() => engine.inner.appliedLsn === 1);
    reader.send('MGET', 'a', 'b');
    await sleep(LONG_ENOUGH_MS);
    expect(reader.receivedBytes).toBe(0);
    await engine.letThrough();
    expect(await reader.next()).toEqual(['1', '1']);
  });

  it('R9: the null of an EXEC waits for the write that it tells of', async () => {
    const { client, engine } = await startHeld();
    const [writer, watcher] = [await client(), await client()];
    expect(await watcher.call('WATCH', 'k')).toBe('OK');
    expect(await watcher.call('MULTI')).toBe('OK');
    const before = watcher.receivedBytes;
    engine.hold();
    writer.send('SET', 'k', 'v');
    await until(() => engine.inner.appliedLsn === 1);
    watcher.send('EXEC');
    await sleep(LONG_ENOUGH_MS);
    expect(watcher.receivedBytes).toBe(before);
    await engine.letThrough();
    expect(await watcher.next()).toBeNull();
  });

  it('a connection that has closed watches nothing any more', async () => {
    const { client, engine } = await startHeld();
    const watches: WatchView[] = [];
    const { inner } = engine;
    const begin = inner.watch.bind(inner);
    inner.watch = () => {
      const watch = begin();
      watches.push(watch);
      return watch;
    };
    const [closing, staying] = [await client(), await client()];
    for (const each of [closing, staying]) await each.call('WATCH', 'a', 'b');
    expect(watches.map(({ keys }) => keys)).toEqual([2, 2]);
    closing.close();
    await until(() => watches[0].keys === 0);
    expect(watches[1].keys).toBe(2);
  });

  it('keeps the order of each connection while syncs come and go', async () => {
    const { client, engine } = await startHeld();
    const clients = await Promise.all([client(), client(), client()]);
    for (let round = 0; round < 20; round++) {
      if (round % 3 === 0) engine.hold();
      for (const [i, each] of clients.entries()) each.send('INCR', `counter-${i}`);
      if (round % 3 === 1) await engine.letThrough();
      await sleep(1);
    }
    await engine.letThrough();
    for (const each of clients) {
      for (let n = 1; n <= 20; n++) expect(await each.next()).toBe(n);
    }
  });
});

describe('group commit', () => {
  it('R9: the replies of one turn share one sync', async () => {
    const { client, server } = await start();
    const clients = await Promise.all(Array.from({ length: 8 }, client));
    await clients[0].call('SET', 'warm', 'up');
    const before = server.engine.stats().wal;
    const pipeline = 100;
    for (const each of clients) {
      each.socket.cork();
      for (let i = 0; i < pipeline; i++) each.send('SET', `k${i}`, 'v');
      each.socket.uncork();
    }
    for (const each of clients) {
      for (let i = 0; i < pipeline; i++) expect(await each.next()).toBe('OK');
    }
    const after = server.engine.stats().wal;
    expect(after.appends - before.appends).toBe(clients.length * pipeline);
    // Eight bursts, each read in a handful of turns: far fewer syncs than writes.
    expect(after.syncs - before.syncs).toBeLessThanOrEqual(clients.length * 4);
    expect(after.syncs - before.syncs).toBeGreaterThan(0);
  });
});

describe('pressure', () => {
  it('pauses clients while too much waits for the disk, and goes on afterwards', async () => {
    const { client, engine, server } = await startHeld();
    const a = await client();
    expect(await a.call('SET', 'k', '0')).toBe('OK');
    engine.hold();
    engine.pressure = true;
    const before = server.engine.appliedLsn;
    a.send('INCR', 'k');
    a.send('INCR', 'k');
    await sleep(LONG_ENOUGH_MS);
    expect(server.engine.appliedLsn).toBe(before);
    engine.pressure = undefined;
    await engine.letThrough();
    expect(await a.next()).toBe(1);
    expect(await a.next()).toBe(2);
  });

  it('R10: does not hold up reads once syncs have failed for good', async () => {
    const { client, engine, log } = await startHeld();
    const a = await client();
    expect(await a.call('SET', 'k', 'v')).toBe('OK');
    engine.pressure = true;
    a.send('GET', 'k');
    await sleep(LONG_ENOUGH_MS);
    expect(a.receivedBytes).toBe('+OK\r\n'.length);
    engine.readOnly = true;
    expect(await a.next()).toBe('v');
    expect(await a.call('GET', 'k')).toBe('v');
    expect(log.some(({ msg }) => msg.includes('health of the engine changed'))).toBe(true);
  });
});
