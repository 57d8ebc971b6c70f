import { expect, it } from 'vitest';
import { start } from './test-server.js';

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
  expect(text).toMatch(/^used_memory_dataset:0\r$/m);
});

it('the status gives the time of the recovery to the microsecond', async () => {
  const { server } = await start();
  const { elapsedMs } = server.engine.recovery;
  expect(server.status()).toMatchObject({
    recovery: { elapsed_ms: Math.round(elapsedMs * 1000) / 1000 },
  });
});
