/** A value file gives back each value by its pointer, and only to its owner. */
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { livenessOf } from '../../src/value-log/liveness.js';
import {
  POINTER_BYTES_MAX,
  putPointer,
  readPointer,
  type ValuePointer,
} from '../../src/value-log/pointer.js';
import { ValueReader } from '../../src/value-log/value-reader.js';
import { ValueWriter } from '../../src/value-log/value-writer.js';
import { keys } from '../entries.js';
import { propertySeeds } from '../seeds.js';

const DATABASE = new Uint8Array(16).fill(0xdb);
const PATH = '/db/00000007.values';
const KEY = new Uint8Array(32).fill(7);
const dataKeys = { active: { id: 3, key: KEY }, key: () => KEY };

const values = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 0, max: 5000 }).map((length) => new Uint8Array(length).fill(65)),
);

describe('a value file equals the list that it was written from', () => {
  test.each(propertySeeds('value log'))('seed %i', async (seed) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: keys, sequence: fc.maxSafeNat(), value: values }), {
          maxLength: 30,
        }),
        fc.constantFrom('none' as const, 'deflate' as const),
        fc.boolean(),
        async (records, compression, encrypted) => {
          const vfs = new SimVfs({ record: false });
          await vfs.run(async () => {
            vfs.mkdirSync('/db');
            const options = { databaseUuid: DATABASE, ...(encrypted && { keys: dataKeys }) };
            const writer = new ValueWriter(vfs, PATH, { ...options, compression, number: 7 });
            const pointers: ValuePointer[] = [];
            for (const { key, sequence, value } of records) {
              const pointer = { file: 0, offset: 0, bytes: 0 };
              writer.append(key, 0, key.length, sequence, value, 0, value.length, pointer);
              pointers.push(pointer);
            }
            const summary = writer.finish();
            const recordBytes = pointers.reduce((sum, { bytes }) => sum + bytes, 0);
            expect(summary).toEqual({
              number: 7,
              fileBytes: vfs.statSync(PATH)?.size,
              recordBytes,
              records: records.length,
              keyId: encrypted ? 3 : -1,
            });
            const reader = ValueReader.open(vfs.openSync(PATH, 'read'), options);
            for (const [i, { key, sequence, value }] of records.entries()) {
              const owner = { keyBytes: key, keyFrom: 0, keyTo: key.length, sequence };
              expect(pointers[i].file).toBe(7);
              expect(Buffer.from(reader.read(pointers[i], owner))).toEqual(Buffer.from(value));
              const later = await reader.readAsync(pointers[i], owner);
              expect(Buffer.from(later)).toEqual(Buffer.from(value));
            }
            reader.verify();
            await reader.close();
          });
        },
      ),
      { seed, numRuns: 25 },
    );
  });
});

describe('a pointer', () => {
  const write = () => {
    const vfs = new SimVfs({ record: false });
    vfs.mkdirSync('/db');
    const writer = new ValueWriter(vfs, PATH, { databaseUuid: DATABASE, number: 7 });
    const pointer = { file: 0, offset: 0, bytes: 0 };
    const key = Buffer.from('key');
    writer.append(key, 0, 3, 5, Buffer.from('value'), 0, 5, pointer);
    writer.finish();
    const reader = ValueReader.open(vfs.openSync(PATH, 'read'), { databaseUuid: DATABASE });
    return { reader, pointer, owner: { keyBytes: key, keyFrom: 0, keyTo: 3, sequence: 5 } };
  };

  test('gives its value to the key and version that it belongs to, and to no other', () => {
    const { reader, pointer, owner } = write();
    expect(Buffer.from(reader.read(pointer, owner)).toString()).toBe('value');
    for (const wrong of [
      { ...owner, sequence: 6 },
      { ...owner, keyTo: 2 },
      { ...owner, keyBytes: Buffer.from('kez') },
    ]) {
      expect(() => reader.read(pointer, wrong)).toThrow(
        expect.objectContaining({ code: 'LSM_CORRUPT', file: PATH, offset: pointer.offset }),
      );
    }
  });

  test('that leads out of the records is refused before anything is read', () => {
    const { reader, pointer, owner } = write();
    for (const wrong of [
      { ...pointer, offset: 0 },
      { ...pointer, bytes: 27 },
      { ...pointer, bytes: 2 ** 40 },
      { ...pointer, offset: reader.fileBytes },
    ]) {
      expect(() => reader.read(wrong, owner)).toThrow(
        expect.objectContaining({ code: 'LSM_CORRUPT', file: PATH }),
      );
    }
  });

  test('survives being written down', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), (file, offset, bytes) => {
        const encoded = new Uint8Array(POINTER_BYTES_MAX + 3);
        const end = putPointer(encoded, 3, { file, offset, bytes });
        const into = { file: 0, offset: 0, bytes: 0 };
        expect(readPointer(encoded, 3, end, into)).toEqual({ file, offset, bytes });
        expect(() => readPointer(encoded, 3, end + 1, into)).toThrow(
          end === encoded.length ? RangeError : expect.objectContaining({ name: 'FormatError' }),
        );
      }),
      { seed: 1 },
    );
  });
});

describe('the live bytes of value files', () => {
  test('are the sum of what tables refer to, the worst file first', () => {
    const files = [
      { number: 1, recordBytes: 100 },
      { number: 2, recordBytes: 100 },
      { number: 3, recordBytes: 50 },
    ];
    const referrers = [
      { valueRefs: [{ file: 1, bytes: 30 }] },
      {
        valueRefs: [
          { file: 1, bytes: 60 },
          { file: 2, bytes: 20 },
        ],
      },
    ];
    expect(livenessOf(files, referrers)).toEqual([
      { number: 3, recordBytes: 50, liveBytes: 0, garbageBytes: 50 },
      { number: 2, recordBytes: 100, liveBytes: 20, garbageBytes: 80 },
      { number: 1, recordBytes: 100, liveBytes: 90, garbageBytes: 10 },
    ]);
  });
});
