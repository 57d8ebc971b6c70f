import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { spawnServer } from './server-process.js';
import { sleep, temporaryDirectory } from './test-server.js';

/** Loaded before the server: the process gets SIGTERM when it opens its log. */
const SIGNAL_AT_OPEN = new URL('./faults/signal-at-open.mjs', import.meta.url).href;

/** Everything in a directory but the text in LOCK: names, sizes and contents. */
function fingerprint(dir: string): string {
  const hash = createHash('sha256');
  const walk = (path: string) => {
    for (const name of readdirSync(path).sort()) {
      const child = join(path, name);
      hash.update(`${child}\n`);
      if (statSync(child).isDirectory()) walk(child);
      else if (name !== 'LOCK') hash.update(readFileSync(child));
    }
  };
  walk(dir);
  return hash.digest('hex');
}

/** IDENTITY as a later release would write it: version at byte 8, checksum of bytes 0 to 43 at 44. */
function makeNewer(identity: Buffer): Buffer {
  identity.writeUInt32LE(99, 8);
  identity.writeUInt32LE(crc32(identity.subarray(0, 44)), 44);
  return identity;
}

/** IDENTITY of a database in a store that is none: JSON from byte 52, its checksum from byte 48 behind it. */
function makeOtherStore(identity: Buffer): Buffer {
  const end = identity.length - 4;
  identity.write('none', identity.indexOf('dash', 52));
  identity.writeUInt32LE(crc32(identity.subarray(48, end)), end);
  return identity;
}

/** The same once the owner has written its idle mark. */
async function settledFingerprint(dir: string): Promise<string> {
  for (let before = ''; ; await sleep(500)) {
    const now = fingerprint(dir);
    if (now === before) return now;
    before = now;
  }
}

async function expectFailure(args: string[], code: number, message: RegExp) {
  const failed = spawnServer(args);
  await expect(failed.ready).rejects.toThrow();
  expect((await failed.exited).code).toBe(code);
  expect(failed.stdout()).toBe('');
  expect(failed.stderr()).toMatch(message);
  expect(failed.stderr().trimEnd().split('\n')).toHaveLength(1);
}

describe('a start', () => {
  it('prints exactly one line, where the server is, and publishes it in LOCK', async () => {
    const dir = join(temporaryDirectory(), 'made', 'by', 'the', 'server');
    const server = spawnServer(['--port', '0', '--dir', dir]);
    const port = await server.ready;
    expect(server.stdout()).toBe(`ready redis://127.0.0.1:${port}\n`);
    expect(readFileSync(join(dir, 'LOCK'), 'utf8')).toContain(`redis://127.0.0.1:${port}`);
    expect(await (await server.client()).call('PING')).toBe('PONG');
  });

  it('takes its options from the environment too', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const env = { NENDB_PORT: '0', NENDB_DIR: dir, NENDB_SYNC_EVERY: '5' };
    const server = spawnServer([], { env });
    const client = await server.client();
    const status = JSON.parse(String(await client.call('NENDB', 'STATUS')));
    expect(status.server.sync).toBe('every:5');
    expect(existsSync(dir)).toBe(true);
  });

  it('answers --help and --version on stdout', async () => {
    const [help, version] = [spawnServer(['--help']), spawnServer(['--version'])];
    expect((await help.exited).code).toBe(0);
    expect(help.stdout()).toContain('Usage: nendb-server');
    expect((await version.exited).code).toBe(0);
    expect(version.stdout()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a start that cannot be', () => {
  it('exits 2 with one line for a bad value', async () => {
    await expectFailure(['--sync', 'never'], 2, /--sync: expected always.*came 'never'/);
    await expectFailure(['--store', 'lms'], 2, /--store: expected .*came 'lms'/);
    await expectFailure(['--requirepass-file', '/nowhere'], 2, /--requirepass-file \/nowhere/);
  });

  it('exits 1 for a port in use, and leaves no directory behind', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const dir = join(temporaryDirectory(), 'data');
    await expectFailure(['--port', String(port), '--dir', dir], 1, /EADDRINUSE/);
    expect(existsSync(dir)).toBe(false);
  });

  it('exits 1 for a directory that cannot be made', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, 'not a directory');
    await expectFailure(
      ['--port', '0', '--dir', join(file, 'data')],
      1,
      /expected a directory.*got a file.*file'/,
    );
  });

  it('exits 5 for a directory that another server has, and names it', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const owner = spawnServer(['--port', '0', '--dir', dir]);
    const client = await owner.client();
    await client.call('SET', 'k', 'v');
    const before = await settledFingerprint(dir);
    await expectFailure(['--port', '0', '--dir', dir], 5, new RegExp(`${owner.child.pid}`));
    expect(fingerprint(dir)).toBe(before);
    expect(await client.call('GET', 'k')).toBe('v');
  });

  it('exits 6 for a log that is damaged in the middle, and changes nothing', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const args = ['--port', '0', '--dir', dir];
    const first = spawnServer(args);
    const client = await first.client();
    for (let i = 0; i < 50; i++) await client.call('SET', `key-${i}`, `value-${i}`.repeat(10));
    first.child.kill('SIGTERM');
    expect((await first.exited).code).toBe(0);
    const wal = join(dir, 'wal');
    const marked = readdirSync(wal)
      .map((name) => join(wal, name))
      .find((path) => readFileSync(path).includes('value-20value-20'));
    if (!marked) throw new Error('expected a segment that holds the value');
    const bytes = readFileSync(marked);
    bytes[bytes.indexOf('value-20value-20') + 3] ^= 0x40;
    writeFileSync(marked, bytes);
    const before = fingerprint(dir);
    await expectFailure(args, 6, /wal/);
    expect(fingerprint(dir)).toBe(before);
  });

  it.each([
    ['a newer format', /newer|version/, makeNewer],
    ['a store that does not exist', /no store "none"/, makeOtherStore],
  ])('exits 1 for a directory of %s, and changes nothing', async (_what, message, alter) => {
    const dir = join(temporaryDirectory(), 'data');
    const first = spawnServer(['--port', '0', '--dir', dir]);
    await (await first.client()).call('SET', 'k', 'v');
    first.child.kill('SIGTERM');
    await first.exited;
    const path = join(dir, 'IDENTITY');
    writeFileSync(path, alter(readFileSync(path)));
    const before = fingerprint(dir);
    await expectFailure(['--port', '0', '--dir', dir], 1, message);
    expect(fingerprint(dir)).toBe(before);
  });

  it('exits 6 for a directory whose log is gone', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const first = spawnServer(['--port', '0', '--dir', dir]);
    await (await first.client()).call('SET', 'k', 'v');
    first.child.kill('SIGTERM');
    await first.exited;
    rmSync(join(dir, 'wal'), { recursive: true });
    mkdirSync(join(dir, 'wal'));
    await expectFailure(['--port', '0', '--dir', dir], 6, /wal|log/);
  });
});

describe('a stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s exits 0 and the data is there after',
    async (signal) => {
      const dir = join(temporaryDirectory(), 'data');
      const args = ['--port', '0', '--dir', dir, '--sync', 'os'];
      const first = spawnServer(args);
      const client = await first.client();
      client.send('MSET', 'a', '1', 'b', '2');
      client.send('HSET', 'h', 'f', 'v');
      expect(await client.next()).toBe('OK');
      expect(await client.next()).toBe(1);
      first.child.kill(signal);
      expect(await first.exited).toEqual({ code: 0, signal: null });
      expect(first.stdout().split('\n')).toHaveLength(2);
      const second = spawnServer(args);
      const after = await second.client();
      expect(await after.call('MGET', 'a', 'b')).toEqual(['1', '2']);
      expect(await after.call('HGETALL', 'h')).toEqual(['f', 'v']);
      const status = JSON.parse(String(await after.call('NENDB', 'STATUS')));
      expect(status.recovery.verdict).toBe('clean');
    },
  );

  it('a signal before recovery is done stops the server once it is, without a ready line', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const args = ['--port', '0', '--dir', dir];
    const first = spawnServer(args);
    const client = await first.client();
    await client.call('SET', 'k', 'v');
    first.child.kill('SIGTERM');
    await first.exited;
    const early = spawnServer(args, { nodeOptions: ['--import', SIGNAL_AT_OPEN] });
    expect(await early.exited).toEqual({ code: 0, signal: null });
    expect(early.stdout()).toBe('');
    expect(early.stderr()).toContain('"msg":"stopped"');
    const last = spawnServer(args);
    const after = await last.client();
    expect(await after.call('GET', 'k')).toBe('v');
    const status = JSON.parse(String(await after.call('NENDB', 'STATUS')));
    expect(status.recovery.verdict).toBe('clean');
  });

  it('two signals at once are one stop', async () => {
    const server = spawnServer(['--port', '0', '--dir', join(temporaryDirectory(), 'data')]);
    await server.ready;
    server.child.kill('SIGINT');
    server.child.kill('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  it('a later signal forces a stop that waits for nobody', async () => {
    const dir = join(temporaryDirectory(), 'data');
    const server = spawnServer(['--port', '0', '--dir', dir, '--drain-timeout-ms', '60000']);
    const slow = await server.client();
    await slow.call('SET', 'big', 'x'.repeat(1024 * 1024));
    slow.socket.pause();
    for (let i = 0; i < 64; i++) slow.send('GET', 'big');
    await sleep(100);
    server.child.kill('SIGINT');
    await sleep(1_100);
    expect(server.child.exitCode).toBeNull();
    const startMs = performance.now();
    server.child.kill('SIGINT');
    expect((await server.exited).code).toBe(130);
    expect(performance.now() - startMs).toBeLessThan(15_000);
  });

  it.each([[], ['NOSAVE'], ['SAVE']])('SHUTDOWN %s exits 0 without a reply', async (...mode) => {
    const dir = join(temporaryDirectory(), 'data');
    const server = spawnServer(['--port', '0', '--dir', dir]);
    const client = await server.client();
    client.send('SET', 'k', 'v');
    client.send('SHUTDOWN', ...mode);
    expect(await client.next()).toBe('OK');
    await client.closed;
    expect(client.arrived()).toBeUndefined();
    expect((await server.exited).code).toBe(0);
    const images = readdirSync(dir).filter((name) => name.startsWith('nendb.snapshot'));
    expect(images.length > 0).toBe(mode[0] === 'SAVE');
    const again = spawnServer(['--port', '0', '--dir', dir]);
    expect(await (await again.client()).call('GET', 'k')).toBe('v');
  });
});
