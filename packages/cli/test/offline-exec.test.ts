/** `nen exec` and `nen snapshot create` on a directory that no process holds. */
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '@nendb/engine';
import { describe, expect, onTestFinished, test } from 'vitest';
import { damage, makeDatabase, useDatabase } from './support/database.js';
import { hashTree, tempDir } from './support/temp-dir.js';
import { nen } from './support/terminal.js';

describe('nen exec, offline', () => {
  test('reads what was written, writes what is read later', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    expect(await nen(['exec', '--dir', dir, 'GET', 'k'])).toMatchObject({ code: 0, stdout: 'v\n' });
    expect(await nen(['exec', '--dir', dir, 'SET', 'k', 'w'])).toMatchObject({
      code: 0,
      stdout: 'OK\n',
      stderr: '',
    });
    await useDatabase(dir, async (client) => {
      expect(await client.call('GET', 'k')).toBe('w');
    });
  });

  test('finds ./data and NENDB_DIR; a flag is above the environment', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'env'));
    const cwd = tempDir();
    const data = join(cwd, 'data');
    await useDatabase(data, (client) => client.call('SET', 'k', 'default'));
    expect((await nen(['exec', 'GET', 'k'], { cwd })).stdout).toBe('default\n');
    const env = { NENDB_DIR: dir };
    expect((await nen(['exec', 'GET', 'k'], { cwd, env })).stdout).toBe('env\n');
    const argv = ['exec', '--dir', './data', 'GET', 'k'];
    expect((await nen(argv, { cwd, env })).stdout).toBe('default\n');
  });

  test('selects the database of --db', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', '0'));
    await nen(['exec', '--dir', dir, '-n', '3', 'SET', 'k', '3']);
    expect((await nen(['exec', '--dir', dir, '--db', '3', 'GET', 'k'])).stdout).toBe('3\n');
    expect((await nen(['exec', '--dir', dir, 'GET', 'k'])).stdout).toBe('0\n');
  });

  test('prints maps as objects with --json, as on the wire without', async () => {
    const dir = await makeDatabase((client) => client.call('HSET', 'h', 'b', '2', 'a', '1'));
    const json = await nen(['exec', '--json', '--dir', dir, 'HGETALL', 'h']);
    expect(json.stdout).toBe('{\n  "a": "1",\n  "b": "2"\n}\n');
    const typed = await nen(['exec', '--dir', dir, 'HGETALL', 'h'], { tty: true });
    expect(typed.stdout).toMatch(/^1\) "b"\n2\) "2"\n3\) "a"\n4\) "1"\n$/);
  });

  test('gives binary values back as they are', async () => {
    const value = Buffer.from([0, 0xff, 0x0d, 0x0a, 0x80]);
    const dir = await makeDatabase((client) => client.call('SET', 'k', value));
    const { stdoutBytes } = await nen(['exec', '--dir', dir, 'GET', 'k']);
    expect(stdoutBytes).toEqual(Buffer.concat([value, Buffer.from('\n')]));
  });

  test.each([[['INFO', 'server']], [['client', 'info']], [['NENDB', 'STATUS']]])(
    'shows %j on a terminal as text',
    async (words) => {
      const dir = await makeDatabase(async () => {});
      const { code, stdout } = await nen(['exec', '--dir', dir, ...words], { tty: true });
      expect(code).toBe(0);
      expect(stdout).not.toContain('\\');
      expect(stdout).toMatch(/^(# Server\r\n|id=|\{)[\s\S]*[^\n]\n$/);
    },
  );

  test('an error reply is exit 1 with the code of the reply', async () => {
    const dir = await makeDatabase((client) => client.call('HSET', 'h', 'f', 'v'));
    const wrong = await nen(['exec', '--dir', dir, 'GET', 'h']);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('nen: WRONGTYPE Operation against a key');
    const json = await nen(['exec', '--json', '--dir', dir, 'NOSUCH']);
    expect(JSON.parse(json.stderr).error).toMatchObject({
      code: 'ERR',
      message: expect.stringContaining("unknown command 'NOSUCH'"),
    });
    expect(json.code).toBe(1);
  });
});

describe('commands that mean the process, offline', () => {
  test('SHUTDOWN finds nothing to shut down', async () => {
    const dir = await makeDatabase(async () => {});
    const { code, stdout, stderr } = await nen(['exec', '--dir', dir, 'shutdown']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('expected a running server');
  });

  test('BGSAVE is finished before the directory is closed', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    expect(await nen(['exec', '--dir', dir, 'BGSAVE'])).toMatchObject({ code: 0 });
    expect(await nen(['snapshot', 'verify', '--dir', dir])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^newest +valid +1 /m),
    });
  });
});

describe('nen snapshot, offline', () => {
  test('create writes an image; list, inspect and verify read it', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    expect(await nen(['snapshot', 'list', '--dir', dir])).toMatchObject({ code: 0, stdout: '' });
    expect((await nen(['snapshot', 'inspect', '--dir', dir])).code).toBe(4);

    const created = await nen(['snapshot', 'create', '--dir', dir, '--json']);
    expect(created.code).toBe(0);
    const { file, lsn } = JSON.parse(created.stdout);
    expect({ file, lsn }).toEqual({ file: 'nendb.snapshot', lsn: '1' });
    expect(readdirSync(dir)).toContain(file);

    await nen(['exec', '--dir', dir, 'SET', 'k', 'w']);
    expect((await nen(['snapshot', 'create', '--dir', dir])).stdout).toMatch(
      /^nendb\.snapshot: LSN 2, \d+ bytes\n$/,
    );
    const list = JSON.parse((await nen(['snapshot', 'list', '--json', '--dir', dir])).stdout);
    expect(list.snapshots).toMatchObject([
      { role: 'newest', state: 'unchecked', lsn: '2' },
      { role: 'bak', state: 'unchecked', lsn: '1' },
    ]);
    expect((await nen(['snapshot', 'list', '--dir', dir])).stdout.split('\n')[2]).toMatch(
      /^bak +unchecked +1 /,
    );
    const bak = await nen(['snapshot', 'inspect', 'bak', '--json', '--dir', dir]);
    expect(JSON.parse(bak.stdout)).toMatchObject({ schema_version: 1, role: 'bak', lsn: '1' });
    expect((await nen(['snapshot', 'inspect', '--dir', dir])).stdout).toMatch(/^lsn +2$/m);
    const verified = await nen(['snapshot', 'verify', '--dir', dir, '--json']);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      valid: true,
      snapshots: [{ state: 'valid' }, { state: 'valid' }],
    });
  });

  test('list and inspect call no image valid of which they saw the ends only', async () => {
    const dir = await makeDatabase(async (client) => {
      await client.call('SET', 'k', 'needle');
      await client.call('SAVE');
    });
    damage(join(dir, 'nendb.snapshot'), 'needle');
    const list = await nen(['snapshot', 'list', '--dir', dir]);
    expect(list).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^newest +unchecked +1 /m),
    });
    const inspected = await nen(['snapshot', 'inspect', '--json', '--dir', dir]);
    expect(inspected.code).toBe(0);
    expect(JSON.parse(inspected.stdout).state).toBe('unchecked');
    const verified = await nen(['snapshot', 'verify', '--json', '--dir', dir]);
    expect(verified.code).toBe(6);
    expect(JSON.parse(verified.stdout).snapshots).toMatchObject([{ state: 'damaged' }]);
  });

  test('inspect tells damage at the ends as damage', async () => {
    const dir = await makeDatabase((client) => client.call('SAVE'));
    const file = join(dir, 'nendb.snapshot');
    truncateSync(file, statSync(file).size - 1);
    const { code, stdout } = await nen(['snapshot', 'inspect', '--dir', dir]);
    expect(stdout).toMatch(/^state +damaged$/m);
    expect(code).toBe(6);
  });

  test('create without a command before it works on an empty database', async () => {
    const dir = await makeDatabase(async () => {});
    expect(await nen(['snapshot', 'create', '--dir', dir])).toMatchObject({ code: 0 });
  });
});

describe('directories that cannot be worked on', () => {
  const commands = [['exec', 'SET', 'k', 'v'], ['snapshot', 'create'], ['status']];

  function withDir([first, ...rest]: string[], dir: string): string[] {
    const group = first === 'snapshot' ? [first, ...rest.splice(0, 1)] : [first];
    return [...group, '--dir', dir, ...rest];
  }

  test.each(commands)('a missing one is exit 4, and stays missing: %s %s', async (...words) => {
    const parent = tempDir();
    const argv = withDir(
      words.filter((word) => word !== undefined),
      join(parent, 'gone'),
    );
    const { code, stdout, stderr } = await nen(argv);
    expect(stderr).toContain(`expected a data directory at ${join(parent, 'gone')}, got nothing`);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(readdirSync(parent)).toEqual([]);
  });

  test.each(commands)('one without a database is exit 4, and stays so: %s %s', async (...words) => {
    const dir = tempDir();
    const argv = withDir(
      words.filter((word) => word !== undefined),
      dir,
    );
    const { code, stderr } = await nen(argv);
    expect(stderr).toContain(`expected a database in ${dir}`);
    expect(code).toBe(4);
    expect(readdirSync(dir)).toEqual([]);
  });

  test.each(['list', 'inspect', 'verify'])('snapshot %s says the same', async (member) => {
    expect((await nen(['snapshot', member, '--dir', tempDir()])).code).toBe(4);
    expect((await nen(['snapshot', member, '--dir', '/nonexistent/dir'])).code).toBe(4);
  });

  test.each([...commands, ['snapshot', 'list']])(
    'a used one without its IDENTITY is damaged, not empty: %s %s',
    async (...words) => {
      const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
      rmSync(join(dir, 'IDENTITY'));
      const before = hashTree(dir);
      const argv = withDir(
        words.filter((word) => word !== undefined),
        dir,
      );
      const { code, stderr } = await nen(argv);
      expect(stderr).toContain(`expected ${dir}/IDENTITY beside wal, it is missing`);
      expect(stderr).not.toContain('nen serve');
      expect(code).toBe(6);
      expect(hashTree(dir)).toBe(before);
      const server = Engine.open({ dir, preallocate: false });
      const refusal = await server.catch((error: Error) => error.message);
      expect(stderr).toContain(refusal);
    },
  );

  test.each(['nendb.snapshot', 'nendb.snapshot.bak'])(
    'one that holds %s and no IDENTITY is damaged too',
    async (name) => {
      const dir = tempDir();
      writeFileSync(join(dir, name), '');
      const { code, stderr } = await nen(['exec', '--json', '--dir', dir, 'GET', 'k']);
      expect(JSON.parse(stderr).error).toMatchObject({
        code: 'ENGINE_CORRUPT',
        message: expect.stringContaining(`IDENTITY beside ${name}`),
      });
      expect(code).toBe(6);
    },
  );

  test('a file is not a directory: exit 4', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    const { code, stderr } = await nen(['status', '--dir', file]);
    expect(stderr).toContain('got a file');
    expect(code).toBe(4);
  });

  test.each(commands)(
    'one held by a process without an address is exit 5: %s %s',
    async (...words) => {
      const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
      const holder = await Engine.open({ dir, preallocate: false });
      onTestFinished(() => holder.close());
      const argv = withDir(
        words.filter((word) => word !== undefined),
        dir,
      );
      const { code, stdout, stderr } = await nen(argv);
      expect(stderr).toContain(`got process ${process.pid} that holds it`);
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    },
  );

  test('images can be looked at beside the process that holds the directory', async () => {
    const dir = await makeDatabase((client) => client.call('SAVE'));
    const holder = await Engine.open({ dir, preallocate: false });
    onTestFinished(() => holder.close());
    expect(await nen(['snapshot', 'verify', '--dir', dir])).toMatchObject({ code: 0 });
  });

  test('a log that lost its files is exit 6, and says which', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    const wal = join(dir, 'wal');
    rmSync(wal, { recursive: true });
    mkdirSync(wal);
    const { code, stderr } = await nen(['exec', '--dir', dir, 'GET', 'k']);
    expect(stderr).toContain('hint: nothing was changed');
    expect(code).toBe(6);
    expect(readdirSync(wal)).toEqual([]);
  });
});
