/** R17 in processes: a server with `--pmem-path` is killed while it writes, and started again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { shmDirectory } from './machine.js';
import { spawnServer } from './server-process.js';

const ROUNDS = 4;
const directories: string[] = [];

afterEach(() => {
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function temporaryIn(parent: string): string {
  const dir = mkdtempSync(join(parent, 'nendb-server-region-'));
  directories.push(dir);
  return dir;
}

describe('a server with a mapped region', () => {
  it.each(['always', 'os'])(
    'R17: killed while it writes (%s), opens as it was left and has what it acknowledged',
    async (sync) => {
      const [dir, memory] = [temporaryIn(tmpdir()), temporaryIn(shmDirectory)];
      const args = [
        ...['--port', '0', '--dir', dir, '--sync', sync, '--region-bytes', '64mb'],
        ...['--pmem-path', join(memory, 'region')],
      ];
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const server = spawnServer(args);
        const client = await server.client();
        const status = JSON.parse(String(await client.call('NENDB', 'STATUS')));
        expect(status).toMatchObject({
          recovery: { region_trusted: round > 0 },
          store: { kind: 'dash', region: { backend: 'mmap' } },
        });
        expect(server.stderr()).toContain(
          round > 0 ? 'the mapped region was trusted' : 'the mapped region was rebuilt',
        );
        if (round > 0) {
          expect(status.recovery.region_reason).toMatch(/left on this boot/);
          expect(Number(await client.call('HLEN', 'written'))).toBeGreaterThanOrEqual(acknowledged);
          for (let i = 0; i < acknowledged; i += 7) {
            expect(String(await client.call('GET', `key:${i}`))).toBe(`value ${i}`);
            expect(String(await client.call('HGET', 'written', `${i}`))).toBe('yes');
          }
        }
        const killAt = acknowledged + 60 + round * 37;
        try {
          for (;;) {
            const i = acknowledged;
            if (i === killAt) setImmediate(() => server.child.kill('SIGKILL'));
            await client.call('SET', `key:${i}`, `value ${i}`);
            await client.call('HSET', 'written', `${i}`, 'yes');
            acknowledged = i + 1;
          }
        } catch {
          await server.exited;
        }
      }
      expect(acknowledged).toBeGreaterThan(300);
    },
    60_000,
  );
});
