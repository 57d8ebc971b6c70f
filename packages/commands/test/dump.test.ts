import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

/** A payload around `body`, as the format has it. */
function payload(type: number, body: Uint8Array, version = 1): Buffer {
  const head = Buffer.concat([Buffer.from('NDMP'), Buffer.from([version, type]), body]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(head));
  return Buffer.concat([head, checksum]);
}

const WRONG_ENVELOPE = 'ERR DUMP payload version or checksum are wrong';
const BAD_BODY = 'ERR Bad data format';

describe('DUMP and RESTORE', () => {
  let database: Database;
  let link: DirectLink;

  beforeEach(async () => {
    database = await Database.open();
    link = new DirectLink(database.dispatcher);
  });

  afterEach(() => database.close());

  const ask = async (...words: (string | number | Uint8Array)[]): Promise<unknown> => {
    const { value } = await link.ask(words);
    return value instanceof Error ? value.message : value;
  };

  const dumpOf = async (key: string): Promise<Buffer> => {
    const dumped = await ask('DUMP', key);
    if (Buffer.isBuffer(dumped)) return dumped;
    throw new Error(`expected a payload, got ${String(dumped)}`);
  };

  /** The bytes of version 1 stay what they are: a payload may be older than the server. */
  it('R6: writes and reads the payloads of version 1', async () => {
    await ask('SET', 's', 'value');
    await ask('HSET', 'h', 'f', 'v');
    await ask('HPEXPIREAT', 'h', 4000000000123, 'FIELDS', 1, 'f');
    expect((await dumpOf('s')).toString('hex')).toBe('4e444d50010176616c756571446db4');
    expect((await dumpOf('h')).toString('hex')).toBe('4e444d5001020101660176fb80d194b5744b822d29');
    for (const key of ['s', 'h']) {
      const dumped = await dumpOf(key);
      expect(await ask('RESTORE', `${key}2`, 0, dumped)).toBe('OK');
      expect(await dumpOf(`${key}2`)).toEqual(dumped);
    }
    const two = Buffer.from('4e444d5001020201660176fb80d194b57401670000f4dd2109', 'hex');
    expect(await ask('RESTORE', 'h2', 0, two, 'REPLACE')).toBe('OK');
    expect(await ask('HPEXPIRETIME', 'h2', 'FIELDS', 2, 'f', 'g')).toEqual([4000000000123, -1]);
    expect(await ask('HMGET', 'h2', 'f', 'g')).toEqual([Buffer.from('v'), Buffer.from('')]);
  });

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('dump')],
  ])('gives back any value (%s seed)', async (_name, seed) => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const fields = fc.uniqueArray(fc.tuple(bytes, bytes), {
      minLength: 1,
      maxLength: 20,
      selector: ([field]) => Buffer.from(field).toString('hex'),
    });
    await fc.assert(
      fc.asyncProperty(bytes, fields, async (string, pairs) => {
        await ask('FLUSHALL');
        await ask('SET', 's', string);
        await ask('HSET', 'h', ...pairs.flat());
        for (const key of ['s', 'h']) {
          expect(await ask('RESTORE', 'copy', 0, await dumpOf(key), 'REPLACE')).toBe('OK');
          expect(await dumpOf('copy')).toEqual(await dumpOf(key));
        }
        expect(await ask('HLEN', 'copy')).toBe(pairs.length);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('refuses what is no payload, and one of a newer version, and changes nothing', async () => {
    const good = payload(1, Buffer.from('value'));
    for (let at = 0; at < good.length; at++) {
      const damaged = Buffer.from(good);
      damaged[at] ^= 0x10;
      expect(await ask('RESTORE', 'k', 0, damaged), `byte ${at}`).toBe(WRONG_ENVELOPE);
      expect(await ask('RESTORE', 'k', 0, good.subarray(0, at)), `${at} bytes`).toBe(
        WRONG_ENVELOPE,
      );
    }
    for (const version of [0, 2, 255]) {
      const other = payload(1, Buffer.from('value'), version);
      expect(await ask('RESTORE', 'k', 0, other)).toBe(WRONG_ENVELOPE);
    }
    expect(await ask('EXISTS', 'k')).toBe(0);
    expect(await ask('RESTORE', 'k', 0, good)).toBe('OK');
    expect(await ask('RESTORE', 'k', 0, good.subarray(1), 'REPLACE')).toBe(WRONG_ENVELOPE);
    expect(String(await ask('GET', 'k'))).toBe('value');
  });

  it('refuses a body that says what is not there', async () => {
    const bodies: [string, number, number[]][] = [
      ['an unknown type', 3, [1]],
      ['no body', 2, []],
      ['no field', 2, [0]],
      ['a count without fields', 2, [200]],
      ['a gigantic count', 2, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
      ['a field longer than the rest', 2, [1, 9, 65, 0, 0]],
      ['a value longer than the rest', 2, [1, 1, 65, 9, 0]],
      ['no time', 2, [1, 1, 65, 1, 66]],
      ['bytes left over', 2, [1, 1, 65, 1, 66, 0, 0]],
      ['a field twice', 2, [2, 1, 65, 0, 0, 1, 65, 0, 0]],
      ['a varint without an end', 2, [1, 1, 65, 1, 66, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]],
    ];
    for (const [what, type, body] of bodies) {
      expect(await ask('RESTORE', 'k', 0, payload(type, Uint8Array.from(body))), what).toBe(
        BAD_BODY,
      );
    }
    expect(await ask('DBSIZE')).toBe(0);
  });

  it('sets the time it is told, from now or since 1970, and restores nothing that has ended', async () => {
    const good = payload(1, Buffer.from('value'));
    expect(await ask('RESTORE', 'a', 100_000, good)).toBe('OK');
    expect(await ask('TTL', 'a')).toBe(100);
    expect(await ask('RESTORE', 'b', 4_000_000_000_123, good, 'ABSTTL')).toBe('OK');
    expect(await ask('PEXPIRETIME', 'b')).toBe(4_000_000_000_123);
    expect(await ask('RESTORE', 'b', 1, good, 'ABSTTL', 'REPLACE')).toBe('OK');
    expect(await ask('EXISTS', 'b')).toBe(0);
    expect(await ask('RESTORE', 'a', 0, good)).toBe('BUSYKEY Target key name already exists.');
    expect(await ask('RESTORE', 'c', 0, good, 'IDLETIME', 1000)).toBe('OK');
    expect(await ask('OBJECT', 'IDLETIME', 'c')).toBeGreaterThanOrEqual(1000);
  });
});
