/**
 * Clients that did nothing once took every file descriptor of the process: the next segment of the
 * log could not be made, and writes failed as if the disk were full.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientsWithin, descriptorsMax, parseLimits } from '../src/descriptors.js';
import { DESCRIPTORS_RESERVED, REFUSALS_MAX } from '../src/limits.js';
import { RawClient } from './raw-client.js';
import { MAIN } from './server-process.js';
import { start, temporaryDirectory, until } from './test-server.js';

const LINUX = process.platform === 'linux';

describe('the limit of open files', () => {
  it('is read as Linux tells it', () => {
    const text =
      'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024    4096    files\n';
    expect(parseLimits(text)).toBe(1024);
    expect(
      parseLimits('Max open files            unlimited    unlimited    files\n'),
    ).toBeUndefined();
    expect(parseLimits('')).toBeUndefined();
  });

  it.skipIf(!LINUX)('is known of this process', () => {
    expect(descriptorsMax()).toBeGreaterThan(0);
  });

  it('leaves room for the log', () => {
    expect(clientsWithin(10_000, undefined)).toBe(10_000);
    expect(clientsWithin(10_000, 1_000_000)).toBe(10_000);
    expect(clientsWithin(10_000, 1_024)).toBe(1_024 - DESCRIPTORS_RESERVED);
    expect(clientsWithin(10_000, 64)).toBe(1);
  });

  it('lowers --clients-max with a warning, and is shown', async () => {
    const { server, client, log } = await start({}, { descriptorsMax: () => 200 });
    const clientsMax = 200 - DESCRIPTORS_RESERVED;
    expect(log.find(({ msg }) => msg.includes('--clients-max'))).toMatchObject({
      level: 40,
      clientsMax,
      wanted: 10_000,
      descriptors: 200,
    });
    const some = await client();
    expect(await some.call('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', `${clientsMax}`]);
    expect(String(await some.call('INFO', 'clients'))).toContain(`maxclients:${clientsMax}\r\n`);
    expect(server.status()).toMatchObject({ server: { clients_max: clientsMax } });
  });

  it.skipIf(!LINUX)(
    'is not reached by clients: writes go on beside as many as want to come',
    async () => {
      const args = [MAIN, '--port', '0', '--dir', join(temporaryDirectory(), 'data')];
      args.push('--segment-bytes', '4096');
      const command = `ulimit -n 200 && exec "$0" "$@"`;
      const child = spawn('sh', ['-c', command, process.execPath, ...args], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const [line] = await once(child.stdout, 'data');
      const port = Number(/:(\d+)\n/.exec(String(line))?.[1]);
      const writer = await RawClient.connect(port);
      const crowd = await Promise.all(Array.from({ length: 300 }, () => RawClient.connect(port)));
      onTestFinished(() => {
        for (const client of [writer, ...crowd]) client.close();
      });
      await until(() => crowd.filter((client) => client.isClosed).length >= 300 - 72);
      for (let i = 0; i < 40; i++) {
        expect(await writer.call('SET', `k${i}`, 'x'.repeat(1_000))).toBe('OK');
      }
      const status = JSON.parse(String(await writer.call('NENDB', 'STATUS')));
      expect(status.wal_health.rotations).toBeGreaterThan(5);
    },
  );
});

describe('clients that are refused', () => {
  it('hold few descriptors while they read why', async () => {
    const test = await start({ clientsMax: 1 });
    await test.client();
    const many = await Promise.all(Array.from({ length: 3 * REFUSALS_MAX }, test.client));
    for (const client of many) client.socket.pause();
    await until(
      () => Number(Reflect.get(test.server.status(), 'server').clients_rejected) >= many.length,
    );
    for (const client of many) client.socket.resume();
    await Promise.all(many.map((client) => client.closed));
    const told = many.filter((client) => client.receivedBytes > 0).length;
    expect(told).toBeGreaterThanOrEqual(REFUSALS_MAX);
  });
});
