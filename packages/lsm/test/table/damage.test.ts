/** Every byte of a table is under a checksum: damage is told with file and offset, a wrong key as such. */
import { describe, expect, test } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import type { LsmError } from '../../src/errors.js';
import { emptyEntry, type Version } from '../entries.js';
import { expectEveryFlipFound, expectEveryLengthFound } from '../flips.js';
import { build, DATABASE, machine, open, PATH } from './tables.js';

const versions: Version[] = Array.from({ length: 70 }, (_, i) => ({
  key: Uint8Array.from(Buffer.from(`key${String(i).padStart(5, '0')}${'x'.repeat(40)}`)),
  sequence: 1000 - i,
  kind: EntryKind.put,
  value: Uint8Array.from(Buffer.from(i % 3 === 0 ? '' : `v${i % 10}`)),
  expireAtMs: i % 5 === 0 ? 1_800_000_000_000 + i : 0,
}));
const tombstones = [{ gte: Buffer.from('a'), lt: Buffer.from('z'), sequence: 3 }];
const KEY = new Uint8Array(32).fill(7);
const OTHER = new Uint8Array(32).fill(8);
const keysOf = (key: Uint8Array, id = 3) => ({
  active: { id, key },
  key(wanted: number) {
    if (wanted === id) return key;
    throw Object.assign(new Error('unknown'), { name: 'never' });
  },
});

const variants = [
  ['in the clear', {}],
  ['compressed', { compression: 'deflate' as const }],
  ['encrypted', { keys: keysOf(KEY) }],
  ['compressed and encrypted', { compression: 'deflate' as const, keys: keysOf(KEY) }],
] as const;

describe.each(variants)('a table %s', (_, options) => {
  const written = () => {
    const vfs = machine();
    build(vfs, versions, { blockBytes: 256, indexPartitionBytes: 128, ...options }, tombstones);
    const read = () => {
      const file = vfs.openSync(PATH, 'read');
      try {
        const table = open(vfs, 'keys' in options ? { keys: options.keys } : {});
        table.verify();
        table.closeSync();
      } finally {
        file.closeSync();
      }
    };
    return { vfs, read };
  };

  test('with a flipped bit in any byte is refused, with file and offset', () => {
    const { vfs, read } = written();
    expectEveryFlipFound(vfs, PATH, read);
  });

  test('of any other length is refused', () => {
    const vfs = machine();
    build(vfs, versions.slice(0, 20), { blockBytes: 256, ...options }, tombstones);
    const keys = 'keys' in options ? { keys: options.keys } : {};
    expectEveryLengthFound(vfs, PATH, () => open(vfs, keys).verify());
  });
});

describe('a damaged block', () => {
  test('is told by whoever reads it, and the rest of the table stays readable', () => {
    const vfs = machine();
    build(vfs, versions, { blockBytes: 256 });
    const file = vfs.openSync(PATH, 'write');
    file.writeAtSync(Uint8Array.of(0x1f), 450);
    const table = open(vfs);
    const into = emptyEntry();
    const outcomes = new Set<string>();
    for (const { key } of versions) {
      try {
        outcomes.add(table.get(key, 0, key.length, 2000, into) ? 'found' : 'lost');
      } catch (error) {
        const { code, file: path, offset } = error as LsmError;
        outcomes.add(`${code} ${path} ${offset! < 450 && offset! >= 120}`);
      }
    }
    expect([...outcomes].sort()).toEqual([`LSM_CORRUPT ${PATH} true`, 'found']);
    const cursor = table.cursor();
    expect(() => {
      for (cursor.seekToFirst(); cursor.valid; cursor.next());
    }).toThrow(expect.objectContaining({ code: 'LSM_CORRUPT', file: PATH }));
  });
});

describe('the key of a table', () => {
  test('is told apart from damage when it is wrong, unknown or missing', async () => {
    const { Keyring } = await import('@nendb/codec');
    const vfs = machine();
    build(vfs, versions, { keys: keysOf(KEY) });
    const wrong = expect.objectContaining({ code: 'LSM_WRONG_KEY', file: PATH });
    expect(() => open(vfs, { keys: keysOf(OTHER) })).toThrow(wrong);
    expect(() => open(vfs)).toThrow(wrong);
    const ring = Keyring.create(OTHER, vfs.random, { createdAtMs: 1 });
    expect(() => open(vfs, { keys: ring })).toThrow(wrong);
    expect(open(vfs, { keys: keysOf(KEY) }).keyId).toBe(3);
  });

  test('does not keep a table in the clear from being read', () => {
    const vfs = machine();
    build(vfs, versions);
    expect(open(vfs, { keys: keysOf(KEY) }).keyId).toBe(-1);
  });

  test('hides keys and values in the file', () => {
    const vfs = machine();
    const secret = [{ ...versions[0], value: Uint8Array.from(Buffer.from('a secret value')) }];
    build(vfs, secret, { keys: keysOf(KEY) });
    const file = vfs.openSync(PATH, 'read');
    const bytes = Buffer.alloc(file.sizeSync());
    file.readAtSync(bytes, 0);
    expect(bytes.includes('secret')).toBe(false);
    expect(bytes.includes('key00000')).toBe(false);
  });
});

test('a table of another database is refused', () => {
  const vfs = machine();
  build(vfs, versions, { databaseUuid: new Uint8Array(16).fill(1) });
  expect(() => open(vfs, { databaseUuid: DATABASE })).toThrow(
    expect.objectContaining({ code: 'LSM_FOREIGN', file: PATH }),
  );
});

test('a table of a newer version is refused as such', async () => {
  const { crc32 } = await import('@nendb/codec');
  const vfs = machine();
  build(vfs, versions);
  const file = vfs.openSync(PATH, 'write');
  const head = Buffer.alloc(120);
  file.readAtSync(head, 0);
  head.writeUInt32LE(2, 8);
  head.writeUInt32LE(crc32(head.subarray(0, 44)), 44);
  head.writeUInt32LE(crc32(head.subarray(0, 116)), 116);
  file.writeAtSync(head, 0);
  expect(() => open(vfs)).toThrow(expect.objectContaining({ code: 'LSM_TOO_NEW', file: PATH }));
});

describe('a table builder', () => {
  test('refuses entries out of order, and a table of nothing', () => {
    const vfs = machine();
    expect(() => build(vfs, [versions[1], versions[0]])).toThrow('expected an entry behind');
    const twice = { ...versions[1] };
    expect(() => build(vfs, [versions[1], twice], {}, [], '/db/b')).toThrow('merge in order');
    expect(() => build(vfs, [], {}, [], '/db/c')).toThrow('expected a table with an entry');
  });

  test('counts what it wrote', () => {
    const vfs = machine();
    const pointer = Uint8Array.of(9, 120, 77);
    const mixed: Version[] = [
      { ...versions[0], expireAtMs: 70 },
      { ...versions[1], kind: EntryKind.delete, value: new Uint8Array(0), expireAtMs: 0 },
      { ...versions[2], kind: EntryKind.pointer, value: pointer, expireAtMs: 90 },
      { ...versions[3], kind: EntryKind.pointer, value: pointer, expireAtMs: 0 },
    ];
    const summary = build(vfs, mixed, {}, tombstones);
    expect(summary).toMatchObject({
      entries: 4,
      tombstones: 1,
      rangeTombstones: 1,
      sequenceMin: 3,
      sequenceMax: 1000,
      expireMinMs: 70,
      expireMaxMs: 90,
      keyId: -1,
      valueRefs: [{ file: 9, bytes: 154, entries: 2 }],
    });
    expect(Buffer.from(summary.smallest).toString()).toBe('a');
    expect(Buffer.from(summary.largest).toString()).toBe('z');
    const { fileBytes, keyId, ...properties } = summary;
    const table = open(vfs);
    expect({ ...table.properties, keyId: table.keyId }).toEqual({ ...properties, keyId });
    expect(table.fileBytes).toBe(fileBytes);
  });

  test('unlinks what it gives up', async () => {
    const { TableBuilder } = await import('../../src/table/table-builder.js');
    const vfs = machine();
    const builder = new TableBuilder(vfs, PATH, { databaseUuid: DATABASE, createdMs: 1 });
    builder.addRange(Buffer.from('a'), Buffer.from('b'), 1);
    builder.abort();
    expect(vfs.readdirSync('/db')).toEqual([]);
  });
});
