/**
 * Four clients that queued 900,000 PINGs each once ended a process with a heap of 2 GB, far below the
 * bounds of a queue and of all query buffers: what a queued command takes was guessed, and too low.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { spawnServer } from './server-process.js';
import { temporaryDirectory } from './test-server.js';

const CLIENTS = 4;
const COMMANDS = 900_000;
const BATCH = 50_000;

it('millions of queued commands fit a small heap, and run', async () => {
  const server = spawnServer(['--port', '0', '--dir', join(temporaryDirectory(), 'data')], {
    nodeOptions: ['--max-old-space-size=512'],
  });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, server.client));
  const pings = Buffer.from('*1\r\n$4\r\nPING\r\n'.repeat(BATCH));
  const queuedBytes = '+OK\r\n'.length + COMMANDS * '+QUEUED\r\n'.length;
  await Promise.all(
    clients.map(async (client) => {
      // The replies are counted, not parsed: it is the server that is tested.
      let receivedBytes = 0;
      client.socket.removeAllListeners('data');
      const queued = new Promise<void>((resolve) => {
        client.socket.on('data', (chunk) => {
          receivedBytes += chunk.length;
          if (receivedBytes >= queuedBytes) resolve();
        });
      });
      client.send('MULTI');
      for (let sent = 0; sent < COMMANDS; sent += BATCH) client.write(pings);
      await queued;
      expect(receivedBytes).toBe(queuedBytes);
    }),
  );

  const observer = await server.client();
  const list = String(await observer.call('CLIENT', 'LIST'));
  const queues = [...list.matchAll(/ multi=(\d+) .* multi-mem=(\d+) /g)];
  const large = queues.filter(([, count]) => Number(count) === COMMANDS);
  expect(large).toHaveLength(CLIENTS);
  for (const [, , bytes] of large) expect(Number(bytes)).toBeLessThan(32 * 1024 * 1024);

  const [first, ...others] = clients;
  const answer = new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    first.socket.removeAllListeners('data');
    first.socket.on('data', (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= `*${COMMANDS}\r\n`.length + COMMANDS * '+PONG\r\n'.length) {
        resolve(Buffer.concat(chunks));
      }
    });
  });
  first.send('EXEC');
  const replies = await answer;
  expect(replies.equals(Buffer.from(`*${COMMANDS}\r\n${'+PONG\r\n'.repeat(COMMANDS)}`))).toBe(true);
  for (const other of others) other.close();
  expect(await observer.call('PING')).toBe('PONG');
  expect(server.child.exitCode).toBeNull();
}, 60_000);
