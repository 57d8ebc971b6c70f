/**
 * A log that cannot grow refuses writes and goes on serving reads. It once was healthy all the while:
 * nobody who watched the server heard of it.
 */
import { Engine, EngineError, type EngineOptions, type EngineView } from '@nendb/engine';
import { describe, expect, it } from 'vitest';
import { HEALTH_WATCH_MS } from '../src/limits.js';
import { sleep, start } from './test-server.js';

/** A real engine on a disk that the test fills and empties. */
function fullDisk() {
  const disk = { full: false };
  const openEngine = async (options: EngineOptions): Promise<EngineView> => {
    const engine = await Engine.open(options);
    return new Proxy<EngineView>(engine, {
      get(target, name: keyof EngineView) {
        if (name === 'commit' && disk.full) {
          return () => {
            target.abort();
            throw new EngineError('ENGINE_NO_SPACE', 'no room to append: free disk space');
          };
        }
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return { disk, openEngine };
}

describe('R10: writes that are refused for lack of room', () => {
  it('R10: make the server unhealthy, with the reason, until a write succeeds', async () => {
    const { disk, openEngine } = fullDisk();
    const test = await start({}, { openEngine });
    const client = await test.client();
    const status = async () => JSON.parse(String(await client.call('NENDB', 'STATUS')));
    expect(await client.call('SET', 'k', 'old')).toBe('OK');
    expect(await status()).toMatchObject({
      healthy: true,
      reason: null,
      writes_refused_at_ms: null,
    });

    disk.full = true;
    const beforeMs = Date.now() - 1;
    expect(String(await client.call('SET', 'k', 'new'))).toMatch(/MISCONF .*no room to append/);
    const refused = await status();
    expect(refused).toMatchObject({ healthy: false, wal_health: { healthy: true } });
    expect(refused.reason).toMatch(/^MISCONF .*no room to append: free disk space$/);
    expect(refused.writes_refused_at_ms).toBeGreaterThanOrEqual(beforeMs);
    await sleep(HEALTH_WATCH_MS + 100);
    expect(test.log.some(({ level, msg }) => level === 50 && msg === 'writes are refused')).toBe(
      true,
    );

    disk.full = false;
    expect(await client.call('GET', 'k')).toBe('old');
    expect(await status(), 'a read proves nothing').toMatchObject({ healthy: false });
    expect(await client.call('SET', 'k', 'new')).toBe('OK');
    expect(await status()).toMatchObject({ healthy: true, reason: null });
    await sleep(HEALTH_WATCH_MS + 100);
    expect(test.log.some(({ msg }) => msg === 'writes succeed again')).toBe(true);
  });

  it('can be seen coming: the status tells the free disk space', async () => {
    const { server } = await start();
    expect(server.status()).toMatchObject({
      resources: { disk_free_bytes: expect.any(Number) },
      recovery: { elapsed_ms: expect.any(Number) },
    });
  });
});
