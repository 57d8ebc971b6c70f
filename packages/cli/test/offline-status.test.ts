/** `nen status` of a stopped directory: what it says, and that it changes nothing. */
import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { engineStatus } from '@nendb/commands';
import { describe, expect, test } from 'vitest';
import { damage, makeDatabase, makeNewer, useDatabase } from './support/database.js';
import { hashTree } from './support/temp-dir.js';
import { nen } from './support/terminal.js';

const SECTIONS = ['recovery', 'resources', 'server', 'snapshot', 'store', 'wal_health'];

function segments(dir: string): string[] {
  const names = readdirSync(join(dir, 'wal')).filter((name) => name.endsWith('.wal'));
  return names.sort().map((name) => join(dir, 'wal', name));
}

/** Where the frames of a sealed segment end, as its footer says. */
function endOf(file: string): number {
  const bytes = readFileSync(file);
  return Number(bytes.readBigUInt64LE(bytes.length - 16));
}

async function status(dir: string, ...flags: string[]) {
  const before = hashTree(dir);
  const outcome = await nen(['status', '--json', '--dir', dir, ...flags]);
  expect(hashTree(dir)).toBe(before);
  return { ...outcome, document: outcome.stdout === '' ? undefined : JSON.parse(outcome.stdout) };
}

describe('a sound directory', () => {
  test('is healthy, stopped, and has every key of a running one', async () => {
    let online: object = {};
    const dir = await makeDatabase(async (client, engine) => {
      await client.call('SET', 'a', '1');
      await client.call('SET', 'b', '2');
      await client.call('SAVE');
      await client.call('DEL', 'a');
      online = engineStatus(engine);
    });
    const { code, document, stderr } = await status(dir, '--fail-on-unhealthy');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(document).toMatchObject({
      schema_version: 1,
      running: false,
      healthy: true,
      reason: null,
      writes_refused_at_ms: null,
      recovery: {
        verdict: 'clean',
        truncated: null,
        snapshot_source: 'newest',
        replayed_records: 1,
      },
      wal_health: {
        healthy: true,
        io_error_count: 0,
        last_error: null,
        end_pos: {
          lsn: '3',
          segment: segments(dir).at(-1)?.split('/').at(-1),
          offset: endOf(segments(dir).at(-1) ?? ''),
        },
        segments: 1,
        last_lsn: '3',
      },
      store: { kind: 'dash' },
      snapshot: { file: 'nendb.snapshot', lsn: '2', in_progress: false, last_error: null },
      server: { address: null, pid: null },
    });
    expect(Object.keys(document)).toEqual(
      [
        ...SECTIONS,
        ...['healthy', 'reason', 'running', 'schema_version', 'writes_refused_at_ms'],
      ].sort(),
    );
    for (const [section, values] of Object.entries(online)) {
      expect(Object.keys(document[section])).toEqual(Object.keys(values).sort());
    }
  });

  test('says the epoch and the uuid of its last opening, and does not use up an epoch', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    let last = { epoch: 0, databaseUuid: '' };
    await useDatabase(dir, async (_client, engine) => {
      last = { epoch: engine.epoch, databaseUuid: engine.databaseUuid };
    });
    for (let round = 0; round < 2; round++) {
      const { document } = await status(dir);
      expect(document.store.epoch).toBe(last.epoch);
      expect(document.store.database_uuid).toBe(last.databaseUuid);
    }
  });

  test('without a record is healthy too', async () => {
    const dir = await makeDatabase(async () => {});
    const { code, document } = await status(dir);
    expect(code).toBe(0);
    expect(document.wal_health.last_lsn).toBe('0');
    expect(document.wal_health.end_pos).toMatchObject({ lsn: '0', offset: 512 });
    expect(document.snapshot.lsn).toBe(null);
  });

  test('with a torn tail is healthy, and says what would be cut off', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    const file = segments(dir)[0];
    const trailerAt = endOf(file);
    truncateSync(file, trailerAt + 10);
    const { code, document } = await status(dir, '--fail-on-unhealthy');
    expect(code).toBe(0);
    expect(document).toMatchObject({
      healthy: true,
      recovery: { verdict: 'torn', truncated: { offset: trailerAt } },
      wal_health: { last_lsn: '1', end_pos: { offset: trailerAt } },
    });
  });

  test('is readable for people, with colours only where they are wanted', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    const plain = await nen(['status', '--dir', dir]);
    expect(plain.stdout).toMatch(/^healthy, stopped\n\nserver\n/);
    expect(plain.stdout).toMatch(/^ {2}end_pos\.lsn +1$/m);
    expect(plain.stdout).toMatch(/^ {2}last_error +-$/m);
    const terminal = await nen(['status', '--dir', dir], { tty: true });
    expect(terminal.stdout).toContain('\u001b[32mhealthy');
    for (const [env, tty] of [
      [{ NO_COLOR: '1' }, true],
      [{ TERM: 'dumb' }, true],
      [{ NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ] as const) {
      expect((await nen(['status', '--dir', dir], { env, tty })).stdout).not.toContain('\u001b');
    }
    const forced = await nen(['status', '--dir', dir], { env: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001b[32mhealthy');
  });
});

describe('a damaged directory: the whole report, then exit 6', () => {
  test('a flipped bit in the log', async () => {
    const dir = await makeDatabase(async (client) => {
      await client.call('SET', 'k', 'needle-one');
      await client.call('SET', 'k', 'needle-two');
    });
    damage(segments(dir)[0], 'needle-one');
    const { code, document, stderr } = await status(dir);
    expect(code).toBe(6);
    expect(document).toMatchObject({
      running: false,
      healthy: false,
      wal_health: { healthy: false, last_error: expect.stringContaining('.wal') },
    });
    const { error } = JSON.parse(stderr);
    expect(error.code).toBe('WAL_CORRUPT');
    expect(error.message).toBe(document.wal_health.last_error);
  });

  test('a missing segment', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    await useDatabase(dir, (client) => client.call('SET', 'k', 'w'));
    rmSync(segments(dir)[0]);
    const { code, document } = await status(dir);
    expect(code).toBe(6);
    expect(document.healthy).toBe(false);
  });

  test('a damaged newest image: not healthy, but it can be opened, so exit 0, or 3 if asked', async () => {
    const dir = await makeDatabase(async (client) => {
      await client.call('SET', 'k', 'v');
      await client.call('SAVE');
      await client.call('SET', 'k', 'needle');
      await client.call('SAVE');
    });
    damage(join(dir, 'nendb.snapshot'), 'needle');
    const { code, document } = await status(dir);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      healthy: false,
      recovery: { snapshot_source: 'bak' },
      snapshot: { lsn: '1', last_error: expect.stringContaining('nendb.snapshot') },
    });
    expect((await status(dir, '--fail-on-unhealthy')).code).toBe(3);

    const verified = await nen(['snapshot', 'verify', '--dir', dir]);
    expect(verified.stdout).toMatch(/^newest +damaged/m);
    expect(verified.stdout).toMatch(/^bak +valid/m);
    expect(verified.stderr).toContain('expected a sound image in nendb.snapshot');
    expect(verified.code).toBe(6);
  });

  test('no valid image, but a log from the first record on: it can be opened, so exit 0 or 3', async () => {
    const dir = await makeDatabase(async (client) => {
      await client.call('SET', 'k', 'needle');
      await client.call('SAVE');
    });
    damage(join(dir, 'nendb.snapshot'), 'needle');
    const { code, document } = await status(dir);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      healthy: false,
      recovery: { snapshot_source: null, replayed_records: 1 },
      snapshot: { lsn: null, last_error: expect.stringContaining('nendb.snapshot') },
    });
    expect((await status(dir, '--fail-on-unhealthy')).code).toBe(3);
    await useDatabase(dir, async (client) => {
      expect(await client.call('GET', 'k')).toBe('needle');
    });
  });

  test('a log that is gone', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    rmSync(join(dir, 'wal'), { recursive: true });
    const { code, stderr } = await status(dir);
    expect(JSON.parse(stderr).error.code).toBe('WAL_MISSING');
    expect(code).toBe(6);
  });

  test('no valid image, and no log that reaches back: the log is still counted', async () => {
    const dir = await makeDatabase(async (client) => {
      await client.call('SET', 'k', 'needle');
      await client.call('SAVE');
    });
    damage(join(dir, 'nendb.snapshot'), 'needle');
    damage(segments(dir)[0], 'needle');
    const { code, document } = await status(dir);
    expect(code).toBe(6);
    expect(document.wal_health).toMatchObject({ healthy: false, segments: 1, last_lsn: null });
    expect(document.snapshot.last_error).toContain('nendb.snapshot');
  });
});

describe('a directory whose identity says nothing: the whole report, then the error', () => {
  async function database(): Promise<string> {
    return makeDatabase(async (client) => {
      await client.call('SET', 'k', 'v');
      await client.call('SAVE');
    });
  }

  async function expectRefused(dir: string, code: string, exitCode: number): Promise<void> {
    const sound = await database();
    const outcome = await status(dir);
    const { document } = outcome;
    const { error } = JSON.parse(outcome.stderr);
    expect(error.code).toBe(code);
    expect(document).toMatchObject({
      running: false,
      healthy: false,
      reason: error.message,
      recovery: { verdict: null, replayed_records: 0 },
      wal_health: { healthy: false, reason: error.message, last_error: error.message, segments: 1 },
      store: { kind: null, database_uuid: null, epoch: null },
      snapshot: { file: 'nendb.snapshot', lsn: '1' },
    });
    const complete = (await status(sound)).document;
    expect(Object.keys(document)).toEqual(Object.keys(complete));
    for (const section of SECTIONS) {
      expect(Object.keys(document[section])).toEqual(Object.keys(complete[section]));
    }
    expect(outcome.code).toBe(exitCode);
    const text = await nen(['status', '--dir', dir]);
    const [headline] = text.stdout.split('\n', 1);
    expect(headline).toBe(`not healthy, stopped: ${error.message}`);
    expect(text.stdout).toMatch(/^writes_refused_at_ms {2}-$/m);
    expect(text.stderr).toContain(`nen: ${error.message}\n`);
    expect(text.code).toBe(exitCode);
  }

  test('a damaged one is exit 6', async () => {
    const dir = await database();
    damage(join(dir, 'IDENTITY'), 'storeKind');
    await expectRefused(dir, 'ENGINE_CORRUPT', 6);
  });

  test('a missing one is exit 6', async () => {
    const dir = await database();
    rmSync(join(dir, 'IDENTITY'));
    await expectRefused(dir, 'ENGINE_CORRUPT', 6);
  });

  test('a newer one is exit 1', async () => {
    const dir = await database();
    makeNewer(join(dir, 'IDENTITY'));
    await expectRefused(dir, 'ENGINE_TOO_NEW', 1);
  });

  test('a newer one beside a newer image: the identity is what is told', async () => {
    const dir = await database();
    makeNewer(join(dir, 'IDENTITY'));
    makeNewer(join(dir, 'nendb.snapshot'));
    const { code, stderr, document } = await status(dir);
    expect(JSON.parse(stderr).error.code).toBe('ENGINE_TOO_NEW');
    expect(code).toBe(1);
    expect(document.wal_health.reason).toContain('IDENTITY');
    expect(document.snapshot).toMatchObject({
      file: null,
      last_error: expect.stringContaining('nendb.snapshot'),
    });
  });
});
