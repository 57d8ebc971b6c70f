import { expect, it } from 'vitest';
import { start, until } from './test-server.js';

it('INFO memory tells what the process uses, of an empty database too', async () => {
  const { client } = await start();
  const some = await client();
  const text = String(await some.call('INFO', 'memory'));
  const value = (name: string) => Number(new RegExp(`^${name}:(\\d+)\\r$`, 'm').exec(text)?.[1]);
  const MiB = 1024 * 1024;
  expect(value('used_memory')).toBeGreaterThan(MiB);
  expect(value('used_memory_peak')).toBeGreaterThanOrEqual(value('used_memory'));
  expect(value('used_memory_rss')).toBeGreaterThan(MiB);
  expect(text).toMatch(/^used_memory_human:\d+\.\d\dM\r$/m);
  // Tables of an empty database, and the chunk that its first records will go to.
  expect(value('used_memory_dataset')).toBeLessThan(4 * MiB);
  expect(value('nendb_region_allocated_bytes')).toBeLessThan(4 * MiB);
  expect(value('nendb_region_bytes_max')).toBeGreaterThan(100 * MiB);
});

it('INFO clients counts those who watch, and their keys', async () => {
  const { client, server } = await start();
  const [one, two, other] = [await client(), await client(), await client()];
  await one.call('WATCH', 'a', 'b');
  await two.call('WATCH', 'b');
  expect(String(await other.call('INFO', 'clients'))).toMatch(
    /^watching_clients:2\r\n(?:.*\r\n)*total_watched_keys:3\r$/m,
  );
  await one.call('UNWATCH');
  two.close();
  await until(() => server.engine.stats().watches === 0);
  expect(String(await other.call('INFO', 'clients'))).toMatch(/^watching_clients:0\r$/m);
});

it('the status gives the time of the recovery to the microsecond', async () => {
  const { server } = await start();
  const { elapsedMs } = server.engine.recovery;
  expect(server.status()).toMatchObject({
    recovery: { elapsed_ms: Math.round(elapsedMs * 1000) / 1000 },
  });
});
