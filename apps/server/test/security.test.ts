import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RawClient } from './raw-client.js';
import { sleep, start, temporaryDirectory } from './test-server.js';

const PASSWORD = 'correct horse';

async function startWithPassword(overrides: Parameters<typeof start>[0] = {}) {
  const file = join(temporaryDirectory(), 'password');
  writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
  return start({ requirepassFile: file, ...overrides });
}

/** An address of this machine that is not its loopback. */
const external = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

describe('protected mode', () => {
  it.skipIf(!external)('without a password only this machine is served', async () => {
    const { server } = await start({ bind: '0.0.0.0' });
    const stranger = await RawClient.connect(server.port, external);
    onTestFinished(() => stranger.close());
    expect(String(await stranger.next())).toMatch(
      /^RespError: DENIED NenDB runs in protected mode/,
    );
    await stranger.closed;
    const local = await RawClient.connect(server.port);
    onTestFinished(() => local.close());
    expect(await local.call('PING')).toBe('PONG');
  });

  it.skipIf(!external)('with a password, or turned off, all are', async () => {
    const open = await start({ bind: '0.0.0.0', protectedMode: 'no' });
    const a = await RawClient.connect(open.server.port, external);
    onTestFinished(() => a.close());
    expect(await a.call('PING')).toBe('PONG');
    expect(open.log.some(({ msg }) => msg.includes('without a password'))).toBe(true);
    const guarded = await startWithPassword({ bind: '0.0.0.0' });
    const b = await RawClient.connect(guarded.server.port, external);
    onTestFinished(() => b.close());
    expect(await b.call('AUTH', PASSWORD)).toBe('OK');
  });
});

describe('authentication', () => {
  it('is asked for, and checked', async () => {
    const { client } = await startWithPassword();
    const a = await client();
    expect(String(await a.call('GET', 'k'))).toContain('NOAUTH Authentication required');
    expect(String(await a.call('AUTH', 'wrong'))).toContain('WRONGPASS');
    expect(String(await a.call('AUTH', 'nobody', PASSWORD))).toContain('WRONGPASS');
    expect(await a.call('AUTH', 'default', PASSWORD)).toBe('OK');
    expect(await a.call('SET', 'k', 'v')).toBe('OK');
  });

  it('lets nothing large in before, and everything after', async () => {
    const { client } = await startWithPassword();
    const many = await client();
    many.write('*11\r\n');
    expect(String(await many.next())).toContain('unauthenticated multibulk length');
    await many.closed;
    const long = await client();
    long.write('*2\r\n$4\r\nECHO\r\n$16385\r\n');
    expect(String(await long.next())).toContain('unauthenticated bulk length');
    await long.closed;
    const good = await client();
    expect(await good.call('AUTH', PASSWORD)).toBe('OK');
    const value = 'x'.repeat(100_000);
    expect(await good.call('ECHO', value)).toBe(value);
  });

  it('applies the large limits to what is pipelined behind AUTH', async () => {
    const { client } = await startWithPassword();
    const a = await client();
    a.send('AUTH', PASSWORD);
    a.send('MSET', ...Array.from({ length: 40 }, (_, i) => `k${i}`));
    expect(await a.next()).toBe('OK');
    expect(await a.next()).toBe('OK');
  });

  it('has a deadline', async () => {
    const { client, log } = await startWithPassword({ authTimeoutMs: 500 });
    const [idle, busy, good] = [await client(), await client(), await client()];
    expect(await good.call('AUTH', PASSWORD)).toBe('OK');
    const nagging = (async () => {
      while (!busy.isClosed) {
        busy.send('PING');
        await sleep(10);
      }
    })();
    await Promise.all([idle.closed, busy.closed, nagging]);
    expect(await good.call('PING')).toBe('PONG');
    expect(log.some(({ msg }) => msg.includes('no password in time'))).toBe(true);
  });

  it('is lost with RESET, and the small limits are back', async () => {
    const { client } = await startWithPassword();
    const a = await client();
    expect(await a.call('HELLO', '3', 'AUTH', 'default', PASSWORD)).toBeInstanceOf(Map);
    expect(await a.call('SET', 'k', 'x'.repeat(20_000))).toBe('OK');
    expect(await a.call('RESET')).toBe('RESET');
    expect(String(await a.call('GET', 'k'))).toContain('NOAUTH');
    a.send('SET', 'k', 'x'.repeat(20_000));
    expect(String(await a.next())).toContain('unauthenticated bulk length');
    await a.closed;
  });

  it('bounds what is answered before it', async () => {
    const { client, log } = await startWithPassword();
    const a = await client();
    a.socket.pause();
    a.write('PING\r\n'.repeat(20_000));
    a.write('PING\r\n'.repeat(20_000));
    a.socket.resume();
    await a.closed;
    expect(log.some(({ msg }) => msg.includes('before authentication'))).toBe(true);
  });

  it('leaves no password in log, CONFIG or status', async () => {
    const { client, log, server } = await startWithPassword();
    const a = await client();
    await a.call('AUTH', 'secret-guess');
    await a.call('AUTH', PASSWORD);
    const shown = [
      JSON.stringify(log),
      JSON.stringify(server.status()),
      String(await a.call('CONFIG', 'GET', '*')),
      String(await a.call('INFO', 'everything')),
      String(await a.call('CLIENT', 'LIST')),
    ].join('\n');
    expect(shown).not.toContain(PASSWORD);
    expect(shown).not.toContain('secret-guess');
  });
});

describe('requests of another protocol', () => {
  it.each([
    'POST / HTTP/1.1\r\nHost: x\r\n\r\nSET k v\r\n',
    'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nSET k v\r\n',
    'hOsT: x\r\nSET k v\r\n',
  ])('%.20j are closed silently, before anything they smuggle runs', async (request) => {
    const { client, log } = await start();
    for (let i = 0; i < 3; i++) {
      const browser = await client();
      browser.write(request);
      await browser.closed;
    }
    expect(await (await client()).call('EXISTS', 'k')).toBe(0);
    expect(
      log.filter(({ level, msg }) => level === 40 && msg.includes('cross-protocol')),
    ).toHaveLength(1);
  });
});
