/** CLIENT KILL, PAUSE and REPLY over sockets. */
import { describe, expect, it } from 'vitest';
import { start } from './test-server.js';

describe('clients that control clients', () => {
  it('CLIENT KILL cuts the connection, and what it had sent runs no more', async () => {
    const server = await start();
    const [admin, victim] = [await server.client(), await server.client()];
    victim.send('CLIENT', 'ID');
    const id = Number(await victim.next());
    admin.send('CLIENT', 'KILL', 'ID', id);
    expect(await admin.next()).toBe(1);
    await victim.closed;
    admin.send('CLIENT', 'LIST');
    expect(
      String(await admin.next())
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(1);
    admin.send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no');
    expect(await admin.next()).toBe(1);
    await admin.closed;
  });

  it('CLIENT PAUSE holds writers up, and lets go of one that hangs up', async () => {
    const server = await start();
    const [admin, writer, leaver] = [
      await server.client(),
      await server.client(),
      await server.client(),
    ];
    admin.send('CLIENT', 'PAUSE', 60_000, 'WRITE');
    expect(await admin.next()).toBe('OK');
    writer.send('SET', 'k', 'v');
    writer.send('GET', 'k');
    leaver.send('SET', 'left', 'v');
    admin.send('GET', 'k');
    expect(await admin.next()).toBe(null);
    leaver.socket.destroy();
    await leaver.closed;
    admin.send('CLIENT', 'UNPAUSE');
    expect(await admin.next()).toBe('OK');
    expect(await writer.next()).toBe('OK');
    expect(await writer.next()).toBe('v');
  });

  it('CLIENT REPLY OFF sends nothing until ON', async () => {
    const server = await start();
    const client = await server.client();
    for (const words of [
      ['CLIENT', 'REPLY', 'OFF'],
      ['SET', 'k', 'v'],
      ['NOSUCH'],
      ['CLIENT', 'REPLY', 'ON'],
      ['GET', 'k'],
    ]) {
      client.send(...words);
    }
    expect(await client.next()).toBe('OK');
    expect(await client.next()).toBe('v');
  });
});
