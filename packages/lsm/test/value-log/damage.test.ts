/** Every byte of a value file is under a checksum; a wrong key is told apart from damage. */
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import type { ValuePointer } from '../../src/value-log/pointer.js';
import { ValueReader } from '../../src/value-log/value-reader.js';
import { ValueWriter } from '../../src/value-log/value-writer.js';
import { expectEveryFlipFound, expectEveryLengthFound } from '../flips.js';

const DATABASE = new Uint8Array(16).fill(0xdb);
const PATH = '/db/00000007.values';
const keysOf = (fill: number) => ({
  active: { id: 3, key: new Uint8Array(32).fill(fill) },
  key: () => new Uint8Array(32).fill(fill),
});
const values = ['', 'short', 'long '.repeat(60), 'x'.repeat(200)].map((text) => Buffer.from(text));
const owner = (i: number) => ({
  keyBytes: Buffer.from(`key${i}`),
  keyFrom: 0,
  keyTo: 4,
  sequence: 10 + i,
});

function write(options: Partial<ConstructorParameters<typeof ValueWriter>[2]>) {
  const vfs = new SimVfs({ record: false });
  vfs.mkdirSync('/db');
  const writer = new ValueWriter(vfs, PATH, { databaseUuid: DATABASE, number: 7, ...options });
  const pointers: ValuePointer[] = values.map((value, i) => {
    const pointer = { file: 0, offset: 0, bytes: 0 };
    const { keyBytes, sequence } = owner(i);
    writer.append(keyBytes, 0, 4, sequence, value, 0, value.length, pointer);
    return pointer;
  });
  writer.finish();
  const open = (keys = options.keys) =>
    ValueReader.open(vfs.openSync(PATH, 'read'), { databaseUuid: DATABASE, ...(keys && { keys }) });
  return { vfs, pointers, open };
}

describe.each([
  ['in the clear', {}],
  ['compressed', { compression: 'deflate' as const }],
  ['compressed and encrypted', { compression: 'deflate' as const, keys: keysOf(7) }],
])('a value file %s', (_, options) => {
  test('with a flipped bit in any byte is refused, with file and offset', () => {
    const { vfs, open } = write(options);
    expectEveryFlipFound(vfs, PATH, () => open().verify());
  });

  test('of any other length is refused', () => {
    const { vfs, open } = write(options);
    expectEveryLengthFound(vfs, PATH, () => open().verify());
  });

  test('refuses the value whose record is damaged, and gives the others', () => {
    const { vfs, open, pointers } = write(options);
    const { offset, bytes } = pointers[1];
    const file = vfs.openSync(PATH, 'write');
    const last = new Uint8Array(1);
    file.readAtSync(last, offset + bytes - 1);
    file.writeAtSync(Uint8Array.of(last[0] ^ 1), offset + bytes - 1);
    const reader = open();
    expect(() => reader.read(pointers[1], owner(1))).toThrow(
      expect.objectContaining({ code: 'LSM_CORRUPT', file: PATH, offset }),
    );
    expect(Buffer.from(reader.read(pointers[2], owner(2)))).toEqual(values[2]);
  });
});

test('a wrong or missing key is told apart from damage', () => {
  const { open, vfs } = write({ keys: keysOf(7) });
  const wrong = expect.objectContaining({ code: 'LSM_WRONG_KEY', file: PATH });
  expect(() => open(keysOf(8))).toThrow(wrong);
  expect(() => ValueReader.open(vfs.openSync(PATH, 'read'), { databaseUuid: DATABASE })).toThrow(
    wrong,
  );
  expect(open().keyId).toBe(3);
});

test('a file of another database is refused', () => {
  const { vfs } = write({});
  expect(() =>
    ValueReader.open(vfs.openSync(PATH, 'read'), { databaseUuid: new Uint8Array(16) }),
  ).toThrow(expect.objectContaining({ code: 'LSM_FOREIGN', file: PATH }));
});

test('a writer that gives up leaves nothing', () => {
  const vfs = new SimVfs({ record: false });
  vfs.mkdirSync('/db');
  const writer = new ValueWriter(vfs, PATH, { databaseUuid: DATABASE, number: 7 });
  writer.abort();
  expect(vfs.readdirSync('/db')).toEqual([]);
});
