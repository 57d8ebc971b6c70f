import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, configHelp, configSchema, parseConfig } from '../src/config.js';
import { formatSync } from '../src/options.js';
import { readPasswordFile } from '../src/password.js';

function run(argv: string[], env: Record<string, string> = {}) {
  const parsed = parseConfig(argv, env);
  if (parsed.action !== 'run') throw new Error(`expected 'run', came '${parsed.action}'`);
  return parsed;
}

function mistake(argv: string[], env: Record<string, string> = {}): ConfigError {
  try {
    parseConfig(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

describe('where a value comes from', () => {
  it('takes the default when nothing is said', () => {
    const { config, origins } = run([]);
    expect(config).toMatchObject({
      port: 6379,
      bind: '127.0.0.1',
      dir: './data',
      sync: 'always',
      store: undefined,
      regionBytes: undefined,
      protectedMode: 'yes',
      clientsMax: 10_000,
    });
    expect(config.requirepassFile).toBeUndefined();
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  });

  it('prefers the flag to the environment, and the environment to the default', () => {
    const { config, origins } = run(['--port', '7001', '--dir=/x'], {
      NENDB_PORT: '7002',
      NENDB_BIND: '0.0.0.0',
      NENDB_REQUIREPASS_FILE: '/run/secret',
    });
    expect(config).toMatchObject({
      port: 7001,
      dir: '/x',
      bind: '0.0.0.0',
      requirepassFile: '/run/secret',
    });
    expect(origins).toMatchObject({
      port: 'flag',
      dir: 'flag',
      bind: 'environment',
      requirepassFile: 'environment',
      sync: 'default',
    });
  });

  it('has every option as a variable too', () => {
    const given: Record<string, string> = {
      port: '1',
      bind: '::1',
      dir: 'd',
      sync: 'os',
      store: 'map',
      regionBytes: '64mb',
      pmemPath: '/dev/shm/region',
      lsmMemoryBytes: '2mb',
      requirepassFile: 'f',
      protectedMode: 'no',
      clientsMax: '5',
      idleTimeoutMs: '6',
      requestTimeoutMs: '7',
      authTimeoutMs: '8',
      drainTimeoutMs: '9',
      valueBytesMax: '1mb',
      queryBufferBytesMax: '2mb',
      outputBufferBytesMax: '3mb',
      outputPauseBytes: '256kb',
      segmentBytes: '65536',
      snapshotLogBytes: '5mb',
      logLevel: 'debug',
    };
    expect(Object.keys(given).sort()).toEqual(Object.keys(configSchema.shape).sort());
    const env: Record<string, string> = {};
    const argv: string[] = [];
    for (const [name, value] of Object.entries(given)) {
      const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      env[`NENDB_${flag.replaceAll('-', '_').toUpperCase()}`] = value;
      argv.push(`--${flag}`, value);
    }
    expect(run([], env).config).toEqual(run(argv).config);
    expect(run([], env).config).toMatchObject({ queryBufferBytesMax: 2 * 1024 * 1024 });
  });

  it('treats an empty variable as absent', () => {
    expect(run([], { NENDB_PORT: '' }).config.port).toBe(6379);
  });
});

describe('the sync policy', () => {
  it.each([
    ['always', 'always'],
    ['os', 'os'],
    ['250ms', { windowMs: 250 }],
    ['every:1000', { every: 1000 }],
  ])('reads %s', (text, policy) => {
    expect(run(['--sync', text]).config.sync).toEqual(policy);
    expect(formatSync(run(['--sync', text]).config.sync)).toBe(text);
  });

  it('reads NENDB_SYNC_EVERY=N as every:N', () => {
    expect(run([], { NENDB_SYNC_EVERY: '64' }).config.sync).toEqual({ every: 64 });
    expect(run(['--sync', 'always'], { NENDB_SYNC_EVERY: '64' }).config.sync).toBe('always');
  });

  it('refuses two variables that contradict each other', () => {
    const error = mistake([], { NENDB_SYNC: 'os', NENDB_SYNC_EVERY: '64' });
    expect(error.message).toContain('expected one of them, came both');
  });

  it.each(['sometimes', '0ms', 'every:0', 'every:', '-1ms', 'ALWAYS', '1e9ms'])(
    'refuses %s',
    (text) => {
      expect(mistake(['--sync', text]).message).toContain(`came '${text}'`);
    },
  );
});

describe('mistakes', () => {
  it.each([
    [['--port', '70000'], /--port: expected a TCP port.*0 to 65535, came '70000'; correct it/],
    [['--port', 'abc'], /--port: expected a TCP port/],
    [['--port'], /--port: expected a value \(PORT\), came nothing/],
    [['--dir', ''], /--dir: expected a directory/],
    [['--clients-max', '0'], /--clients-max: expected a number of clients/],
    [['--output-pause-bytes', '5tb'], /--output-pause-bytes: expected a number of bytes/],
    [['--log-level', 'loud'], /--log-level: expected one of trace, debug/],
    [['--prot', '1'], /did you mean --protected-mode\?/],
    [['--clientsmax', '1'], /did you mean --clients-max\?/],
    [['stray'], /expected a flag of this server, came 'stray'; see --help/],
  ])('%j says what was expected, what came and what to do', (argv, message) => {
    expect(mistake(argv).message).toMatch(message);
  });

  it('names the variable when the bad value came from there', () => {
    expect(mistake([], { NENDB_PORT: 'x' }).message).toMatch(/^NENDB_PORT: expected/);
    expect(mistake([], { NENDB_SYNC_EVERY: 'x' }).message).toMatch(/^NENDB_SYNC_EVERY: expected/);
  });

  it('R5: takes each store there is, and no other', () => {
    for (const store of ['dash', 'lsm', 'map']) {
      expect(run(['--store', store]).config.store).toBe(store);
    }
    expect(mistake(['--store', 'lms']).message).toMatch(/^--store: expected .*came 'lms'/);
  });

  it('does not repeat a secret that was given to the wrong flag', () => {
    expect(mistake(['--requirepass=hunter2']).message).not.toContain('hunter2');
  });
});

describe('help and version', () => {
  it('lists every option with its default, and fits a screen', () => {
    const help = configHelp();
    expect(help).toContain('--port PORT');
    expect(help).toContain('[6379]');
    for (const name of Object.keys(configSchema.shape)) {
      const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(help).toContain(`--${flag} `);
    }
    const lines = help.split('\n');
    expect(lines.length).toBeLessThan(50);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('asks for them by flag', () => {
    expect(parseConfig(['--help'], {}).action).toBe('help');
    expect(parseConfig(['--port', '1', '--version'], {}).action).toBe('version');
  });
});

describe('the password file', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'nendb-password-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const file = (name: string, text: string, mode = 0o600) => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode });
    return path;
  };

  it.each(['secret', 'secret\n', 'secret\r\n', 'secret\nsecond line\n'])('reads %j', (text) => {
    const path = file('ok', text);
    const { digest, exposed } = readPasswordFile(path);
    expect(exposed).toBe(false);
    expect(digest.matches(Buffer.from('secret'))).toBe(true);
    expect(digest.matches(Buffer.from(text))).toBe(text === 'secret');
    expect(digest.matches(Buffer.from('Secret'))).toBe(false);
  });

  it('reports a file that others may read', () => {
    expect(readPasswordFile(file('open', 'secret', 0o644)).exposed).toBe(true);
  });

  it.each([
    ['missing', undefined, /came ENOENT/],
    ['empty', '', /an empty first line/],
    ['blank', '\nsecret', /an empty first line/],
    ['huge', 'x'.repeat(5000), /more than 4096 bytes/],
  ])('refuses a file that is %s, without its content', (name, text, message) => {
    const path = text === undefined ? join(dir, name) : file(name, text);
    expect(() => readPasswordFile(path)).toThrow(message);
    expect(() => readPasswordFile(path)).not.toThrow(/secret|xxx/);
  });

  it('refuses a directory', () => {
    expect(() => readPasswordFile(dir)).toThrow(ConfigError);
  });
});
