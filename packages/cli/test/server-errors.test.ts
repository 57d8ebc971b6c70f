/** Servers that refuse, fall silent, cut the line or are something else: exit codes and texts. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ScriptedServer, scriptedServer } from './support/scripted-server.js';
import { tempDir } from './support/temp-dir.js';
import { nen } from './support/terminal.js';

type Answer = Parameters<typeof scriptedServer>[0];

async function server(answer: Answer): Promise<ScriptedServer> {
  const started = await scriptedServer(answer);
  onTestFinished(() => started.close());
  return started;
}

/** A port that nobody listens on: it was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return address.port;
}

describe('unreachable: exit 7', () => {
  test.each([['status'], ['exec', 'PING'], ['snapshot', 'create']])(
    'nobody listens: %s',
    async (...words) => {
      const url = `redis://127.0.0.1:${await freePort()}`;
      const [first, ...rest] = words.filter((word) => word !== undefined);
      const group = first === 'snapshot' ? [first, rest.shift() ?? ''] : [first];
      const { code, stdout, stderr } = await nen([...group, '--url', url, ...rest]);
      expect(stderr).toContain(`expected a server at ${url} (--url), got: connect ECONNREFUSED`);
      expect(stderr).toContain('hint: start one with nen serve');
      expect(stdout).toBe('');
      expect(code).toBe(7);
    },
  );

  test('with --json the error is a document', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await nen(['status', '--json', '--url', url]);
    expect(JSON.parse(stderr).error.code).toBe('UNREACHABLE');
    expect(code).toBe(7);
  });

  test('the connection ends before the reply', async () => {
    const { url } = await server(() => 'close');
    const { code, stderr } = await nen(['exec', '--url', url, 'SET', 'k', 'v']);
    expect(stderr).toMatch(/expected a reply from .*: the end of the connection/);
    expect(stderr).toContain('may or may not have been carried out');
    expect(code).toBe(7);
  });

  test('the end of the connection is the answer to SHUTDOWN', async () => {
    const { url } = await server(() => 'close');
    const { code, stdout, stderr } = await nen(['exec', '--url', url, 'shutdown', 'NOSAVE']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('something that speaks no RESP', async () => {
    const { url } = await server(() => 'HTTP/1.1 400 Bad Request\r\n\r\n');
    const { code, stderr } = await nen(['exec', '--url', url, 'PING']);
    expect(stderr).toMatch(/expected a server at .*Protocol error/);
    expect(code).toBe(7);
  });
});

describe('a server that is not NenDB, or another release of it', () => {
  test('does not know NENDB STATUS', async () => {
    const { url } = await server(() => "-ERR unknown command 'NENDB'\r\n");
    const { code, stderr } = await nen(['status', '--url', url]);
    expect(stderr).toContain('got one that does not know NENDB STATUS');
    expect(code).toBe(1);
  });

  test.each([
    ['no JSON', '{', 'Expected property name'],
    ['no status', '{}', 'schema_version'],
  ])('sends %s', async (_name, text, message) => {
    const { url } = await server(() => `$${text.length}\r\n${text}\r\n`);
    const { code, stderr } = await nen(['status', '--url', url, '--json']);
    const { error } = JSON.parse(stderr);
    expect(error.code).toBe('BAD_STATUS');
    expect(error.message).toContain(message);
    expect(code).toBe(1);
  });
});

describe('error replies: stderr, exit 1, the code of the server', () => {
  test('as text and as JSON', async () => {
    const wrong = 'WRONGTYPE Operation against a key holding the wrong kind of value';
    const { url } = await server(() => `-${wrong}\r\n`);
    const text = await nen(['exec', '--url', url, 'GET', 'h']);
    expect(text).toMatchObject({ code: 1, stdout: '', stderr: `nen: ${wrong}\n` });
  });

  test('control characters of the server do not reach the terminal', async () => {
    const { url } = await server(() => '-ERR \u001b[2J\r\n');
    const { stderr } = await nen(['exec', '--url', url, 'X'], { tty: true });
    expect(stderr).toBe('nen: ERR \\x1b[2J\n');
  });
});

describe('passwords', () => {
  const answer: Answer = (request) => {
    if (request === 'AUTH sesame' || request === 'AUTH ali sesame') return '+OK\r\n';
    if (request.startsWith('AUTH')) return '-WRONGPASS invalid username-password pair\r\n';
    return '+PONG\r\n';
  };

  test.each(['--password-file', '--requirepass-file'])('from the file of %s', async (flag) => {
    const dir = tempDir();
    writeFileSync(join(dir, 'secret'), 'sesame\nsecond line\n');
    const { url, requests } = await server(answer);
    const argv = ['exec', flag, 'secret', '--url', url, 'PING'];
    expect(await nen(argv, { cwd: dir })).toMatchObject({ code: 0, stdout: 'PONG\n' });
    expect(requests).toEqual(['AUTH sesame', 'PING']);
  });

  test('from NENDB_PASSWORD, below the file', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'secret'), 'sesame');
    const { url, requests } = await server(answer);
    const argv = ['exec', '--url', url, 'PING'];
    expect(await nen(argv, { env: { NENDB_PASSWORD: 'sesame' } })).toMatchObject({ code: 0 });
    const env = { NENDB_PASSWORD: 'other', NENDB_REQUIREPASS_FILE: join(dir, 'secret') };
    expect(await nen(argv, { env })).toMatchObject({ code: 0 });
    expect(requests).toEqual(['AUTH sesame', 'PING', 'AUTH sesame', 'PING']);
  });

  test('from the address, with a warning; user and database too', async () => {
    const { port, requests } = await server((request) =>
      request === 'SELECT 3' ? '+OK\r\n' : answer(request),
    );
    const url = `redis://ali:sesame@127.0.0.1:${port}/3`;
    const { code, stderr } = await nen(['exec', '--url', url, 'PING']);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: a password in --url can be seen');
    expect(requests).toEqual(['AUTH ali sesame', 'SELECT 3', 'PING']);
  });

  test('a wrong one is refused and never printed', async () => {
    const { url, requests } = await server(answer);
    const env = { NENDB_PASSWORD: 'hunter2' };
    const { code, stdout, stderr } = await nen(['exec', '--url', url, 'PING'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('WRONGPASS');
    expect(stderr).toContain('check the password');
    expect(stdout + stderr).not.toContain('hunter2');
    expect(requests).toEqual(['AUTH hunter2']);
  });

  test('one that is not needed is a warning', async () => {
    const { url } = await server((request) =>
      request.startsWith('AUTH')
        ? '-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n'
        : '+PONG\r\n',
    );
    const env = { NENDB_PASSWORD: 'sesame' };
    const { code, stdout, stderr } = await nen(['exec', '--url', url, 'PING'], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'PONG\n' });
    expect(stderr).toContain('asks for no password');
    expect(stderr).not.toContain('sesame');
  });

  test.each([
    ['missing', undefined, 1, 'got ENOENT'],
    ['empty', '\n', 2, 'got an empty line'],
    ['too large', 'x'.repeat(5000), 2, 'at most 4096 bytes'],
  ])('a file that is %s', async (_name, content, exitCode, message) => {
    const dir = tempDir();
    const file = join(dir, 'secret');
    if (content !== undefined) writeFileSync(file, content);
    const argv = ['exec', '--url', 'redis://127.0.0.1:1', '--password-file', file, 'PING'];
    const { code, stderr } = await nen(argv);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
  });
});

describe('exec', () => {
  test('takes words behind the command as they are, whatever they look like', async () => {
    const { url, requests } = await server(() => ':1\r\n');
    await nen(['--url', url, 'exec', 'INCRBY', 'k', '-5', '--odd', '-n', '3', '-abc', '007', '']);
    await nen(['exec', '--url', url, '--', 'SET', '--url', 'x', '--json']);
    expect(requests).toEqual(['INCRBY k -5 --odd -n 3 -abc 007 ', 'SET --url x --json']);
  });

  test('knows its own long flags behind the command', async () => {
    const { url, requests } = await server(() => ':1\r\n');
    const { stdout } = await nen(['exec', 'GET', 'k', '--url', url, `--db=0`, '--raw-word']);
    expect(requests).toEqual(['GET k --raw-word']);
    expect(stdout).toBe('1\n');
  });

  test('asks for RESP3 with --json, and for the database of --db above that of the address', async () => {
    const { url, requests } = await server((request) => {
      if (request === 'HELLO 3') return '%1\r\n$5\r\nproto\r\n:3\r\n';
      if (request === 'SELECT 7') return '+OK\r\n';
      return '>2\r\n$4\r\nnote\r\n$1\r\nx\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n';
    });
    const argv = ['exec', '--json', '--url', `${url}/2`, '-n', '7', 'HGETALL', 'h'];
    const { code, stdout } = await nen(argv);
    expect({ code, reply: JSON.parse(stdout) }).toEqual({ code: 0, reply: { f: 'v' } });
    expect(requests).toEqual(['HELLO 3', 'SELECT 7', 'HGETALL h']);
  });

  test('shows types on a terminal and raw bytes in a pipe', async () => {
    const { url } = await server(() => '*2\r\n$1\r\na\r\n:1\r\n');
    const argv = ['exec', '--url', url, 'X'];
    expect((await nen(argv, { tty: true })).stdout).toBe('1) "a"\n2) (integer) 1\n');
    expect((await nen(argv)).stdout).toBe('a\n1\n');
  });
});
