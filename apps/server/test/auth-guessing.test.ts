/**
 * Guessers and the owner of the password come from one address: every process of a machine is
 * 127.0.0.1. Wrong passwords once made the whole address wait, so that one process in a loop, or
 * twenty that had long hung up, kept the owner out for good.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AUTH_DELAYED_BYTES_MAX, AUTH_DELAYED_MAX, AUTH_FREE_FAILURES } from '../src/limits.js';
import { RawClient } from './raw-client.js';
import { sleep, start, type TestServer, temporaryDirectory, until } from './test-server.js';

const PASSWORD = 'correct horse';
const OWNER_MS = 100;
/** On a machine that is busy with other things; any delay of a guesser would be five times longer. */
const OWNER_MS_MAX = 1_000;

async function startGuarded(overrides: Parameters<typeof start>[0] = {}): Promise<TestServer> {
  const file = join(temporaryDirectory(), 'password');
  writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
  return start({ requirepassFile: file, ...overrides });
}

/** The owner comes, gives the password and uses the server; returns how long it took to get in. */
async function ownerMs(test: TestServer): Promise<number> {
  const startMs = performance.now();
  const owner = await RawClient.connect(test.server.port);
  expect(await owner.call('AUTH', PASSWORD)).toBe('OK');
  const tookMs = performance.now() - startMs;
  expect(await owner.call('SET', 'k', 'v')).toBe('OK');
  owner.close();
  return tookMs;
}

/** The address is known for wrong passwords from now on: the answer to the next takes `100 ms * 2 ** more`. */
async function disgrace(test: TestServer, more = 0): Promise<void> {
  const guess = async () => {
    const client = await test.client();
    expect(String(await client.call('AUTH', 'wrong'))).toContain('WRONGPASS');
    client.close();
  };
  await Promise.all(Array.from({ length: AUTH_FREE_FAILURES + more }, guess));
  await until(() => test.server.connections === 0);
}

describe('the owner of the password', () => {
  it.each([1, 3])('gets in at once beside %i that guess in a loop', async (guessers) => {
    const test = await startGuarded();
    let attacking = true;
    let guesses = 0;
    const attack = async () => {
      while (attacking) {
        const guesser = await RawClient.connect(test.server.port);
        guesser.send('AUTH', `guess${guesses++}`);
        await sleep(50);
        guesser.close();
      }
    };
    const attacks = Array.from({ length: guessers }, attack);
    const times: number[] = [];
    for (let i = 0; i < 15; i++) {
      times.push(await ownerMs(test));
      await sleep(60);
    }
    attacking = false;
    await Promise.all(attacks);
    expect(guesses).toBeGreaterThan(10 * guessers);
    times.sort((a, b) => a - b);
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(OWNER_MS);
    expect(times.at(-1)).toBeLessThan(OWNER_MS_MAX);
  });

  it('gets in at once after twenty that guessed once and hung up, who leave nothing behind', async () => {
    const test = await startGuarded();
    await disgrace(test);
    for (let i = 0; i < 20; i++) {
      const guesser = await RawClient.connect(test.server.port);
      guesser.send('AUTH', `guess${i}`);
      await sleep(2);
      if (i % 2 === 0) guesser.close();
      else guesser.socket.end();
    }
    expect(await ownerMs(test)).toBeLessThan(OWNER_MS_MAX);
    await until(() => test.server.connections === 0);
  });

  it('gets in at once with the same connection that mistyped before, once it is answered', async () => {
    const test = await startGuarded();
    await disgrace(test);
    const client = await test.client();
    expect(String(await client.call('AUTH', 'mistyped'))).toContain('WRONGPASS');
    const startMs = performance.now();
    expect(await client.call('AUTH', PASSWORD)).toBe('OK');
    expect(performance.now() - startMs).toBeLessThan(OWNER_MS_MAX);
  });
});

describe('a wrong password', () => {
  it('is answered late, later each time, and holds back what is behind it', async () => {
    const test = await startGuarded();
    await disgrace(test);
    const startMs = performance.now();
    const guesser = await test.client();
    for (let i = 0; i < 3; i++) guesser.send('AUTH', `again${i}`);
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      expect(String(await guesser.next())).toContain('WRONGPASS');
      times.push(performance.now() - startMs);
    }
    for (const [i, atLeastMs] of [100, 300, 700].entries()) {
      expect(times[i]).toBeGreaterThanOrEqual(atLeastMs - 5);
    }
  });

  it('does not count the delay against the time in which to authenticate', async () => {
    const test = await startGuarded({ authTimeoutMs: 250 });
    await disgrace(test, 2);
    const guesser = await test.client();
    expect(String(await guesser.call('AUTH', 'wrong'))).toContain('WRONGPASS');
    expect(await guesser.call('AUTH', PASSWORD)).toBe('OK');
  });

  it('waits in at most 64 connections of an address: the oldest is closed', async () => {
    const test = await startGuarded();
    await disgrace(test, 4);
    const guessers = await Promise.all(Array.from({ length: AUTH_DELAYED_MAX + 3 }, test.client));
    for (const guesser of guessers) {
      guesser.send('AUTH', 'wrong');
      await sleep(1);
    }
    await until(() => guessers.filter((guesser) => guesser.isClosed).length === 3);
    expect(guessers.slice(0, 3).every((guesser) => guesser.isClosed)).toBe(true);
    expect(await ownerMs(test)).toBeLessThan(OWNER_MS_MAX);
  });

  it('has a bounded number of bytes behind it', async () => {
    const test = await startGuarded();
    await disgrace(test, 4);
    const guesser = await test.client();
    guesser.send('AUTH', 'wrong');
    guesser.write(Buffer.alloc(AUTH_DELAYED_BYTES_MAX, 'PING\r\n'));
    guesser.write(Buffer.alloc(AUTH_DELAYED_BYTES_MAX, 'PING\r\n'));
    await guesser.closed;
    expect(test.log.some(({ msg }) => msg.includes('behind a wrong password'))).toBe(true);
  });

  it('costs nothing where no password is set: there is nothing to guess', async () => {
    const { client } = await start();
    const confused = await client();
    for (let i = 0; i < 3 * AUTH_FREE_FAILURES; i++) confused.send('AUTH', 'nobody', 'wrong');
    const startMs = performance.now();
    for (let i = 0; i < 3 * AUTH_FREE_FAILURES; i++) {
      expect(String(await confused.next())).toContain('WRONGPASS');
    }
    expect(performance.now() - startMs).toBeLessThan(OWNER_MS_MAX);
  });

  it('is answered at once when the server stops', async () => {
    const test = await startGuarded();
    await disgrace(test, 5);
    const guesser = await test.client();
    guesser.send('AUTH', 'wrong');
    await sleep(20);
    const startMs = performance.now();
    const stopped = test.server.stop('a test');
    expect(String(await guesser.next())).toContain('WRONGPASS');
    guesser.close();
    await stopped;
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });
});
