/**
 * The bytes on disk, by the offsets that `docs/formats/lsm-table.md` and `value-log.md` draw: written out here
 * once more, so that a change of a `format.ts` alone cannot pass.
 */
import { crc32 } from '@nendb/codec';
import type { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import { ValueWriter } from '../../src/value-log/value-writer.js';
import type { Version } from '../entries.js';
import { build, CREATED_MS, DATABASE, machine, PATH } from './tables.js';

function bytesOf(vfs: SimVfs, path: string): Buffer {
  const file = vfs.openSync(path, 'read');
  const bytes = Buffer.alloc(file.sizeSync());
  file.readAtSync(bytes, 0);
  return bytes;
}

/** The crc of what is at `at` of the file. */
function crcAt(file: Buffer, at: number, from: number, to: number): number {
  const place = Buffer.alloc(8);
  place.writeBigUInt64LE(BigInt(at));
  return crc32(file.subarray(from, to), crc32(place, crc32(file.subarray(48, 64))));
}

const version = (key: string, sequence: number, more: Partial<Version> = {}): Version => ({
  key: Uint8Array.from(Buffer.from(key)),
  sequence,
  kind: EntryKind.put,
  value: Uint8Array.from(Buffer.from('v')),
  expireAtMs: 0,
  ...more,
});

describe('R6: the format document tells the truth about', () => {
  const vfs = machine();
  build(
    vfs,
    [
      version('abc', 300),
      version('abd', 5, { kind: EntryKind.delete, value: new Uint8Array(0) }),
      version('abd', 2, { expireAtMs: 9 }),
    ],
    {},
    [{ gte: Buffer.from('a'), lt: Buffer.from('b'), sequence: 4 }],
  );
  const table = bytesOf(vfs, PATH);
  const footer = table.length - 100;
  const place = (at: number) => ({
    offset: Number(table.readBigUInt64LE(footer + at)),
    bytes: table.readUInt32LE(footer + at + 8),
  });
  const payload = (type: number, { offset, bytes }: { offset: number; bytes: number }) => {
    expect(table.readUInt32LE(offset)).toBe(crcAt(table, offset, offset + 4, offset + bytes));
    expect([...table.subarray(offset + 4, offset + 8)]).toEqual([type, 0, 0, 0]);
    expect(table.readUInt32LE(offset + 8)).toBe(bytes - 16);
    expect(table.readUInt32LE(offset + 12)).toBe(bytes - 16);
    return table.subarray(offset + 16, offset + bytes);
  };

  test('a head', () => {
    expect(table.toString('latin1', 0, 8)).toBe('NENLSMTB');
    expect(table.readUInt32LE(8)).toBe(1);
    expect([12, 16, 20].map((at) => table.readUInt32LE(at))).toEqual([0, 0, 0]);
    expect(table.subarray(24, 40)).toEqual(Buffer.from(DATABASE));
    expect(table.readUInt32LE(64)).toBe(0xffffffff);
    expect(table.subarray(68, 116)).toEqual(Buffer.alloc(48));
    expect(table.readUInt32LE(116)).toBe(crc32(table.subarray(0, 116)));
  });

  test('a footer, and the blocks that it names, without a gap', () => {
    expect(table.toString('latin1', footer, footer + 8)).toBe('NENLSMTE');
    expect(table.readUInt32LE(footer + 56)).toBe(1);
    expect(table.readUInt32LE(footer + 60)).toBe(1);
    expect(Number(table.readBigUInt64LE(footer + 64))).toBe(table.length);
    expect(table.readUInt32LE(footer + 96)).toBe(crcAt(table, footer, footer, footer + 96));
    let end = place(8).offset;
    for (const at of [8, 20, 32, 44]) {
      expect(place(at).offset).toBe(end);
      end += place(at).bytes;
    }
    expect(end).toBe(footer);
  });

  test('entries', () => {
    const data = payload(2, { offset: 120, bytes: place(8).offset - 120 });
    expect([...data]).toEqual([
      ...[0, 3, 97, 98, 99, 1, 0xac, 0x02, 1, 118],
      ...[2, 1, 100, 0, 5, 0],
      ...[3, 0, 5, 2, 1, 9, 118],
      ...[0, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0],
    ]);
  });

  test('the root, the filter, range tombstones and properties', () => {
    const root = payload(4, place(32));
    const block = place(8).offset - 120;
    expect([...root.subarray(0, 9)]).toEqual([0, 3, 97, 98, 100, 1, 0, 2, 120]);
    expect(root[9]).toBe(block);
    const filter = payload(5, place(8));
    expect([filter.length, filter.readUInt32LE(0)]).toEqual([68, 10]);
    expect([...payload(6, place(20))]).toEqual([1, 1, 97, 1, 98, 1, 4]);
    const properties = payload(7, place(44));
    expect([...properties.subarray(0, 8)]).toEqual([3, 1, 1, 2, 0xac, 0x02, 9, 9]);
    let created = 0;
    for (let i = 5; i >= 0; i--) created = created * 128 + (properties[8 + i] & 127);
    expect(created).toBe(CREATED_MS);
    expect([...properties.subarray(14)]).toEqual([9, 2, 1, 97, 1, 98, 0]);
  });

  test('a value file', () => {
    const path = '/db/00000002.values';
    const writer = new ValueWriter(vfs, path, { databaseUuid: DATABASE, number: 2 });
    const pointer = { file: 0, offset: 0, bytes: 0 };
    writer.append(Buffer.from('key'), 0, 3, 300, Buffer.from('value'), 0, 5, pointer);
    writer.finish();
    const file = bytesOf(vfs, path);
    expect(pointer).toEqual({ file: 2, offset: 120, bytes: 36 });
    expect(file.toString('latin1', 0, 8)).toBe('NENLSMVL');
    expect([124, 128, 132, 136, 140].map((at) => file.readUInt32LE(at))).toEqual([3, 8, 5, 300, 0]);
    expect(file.subarray(144, 148)).toEqual(Buffer.alloc(4));
    expect(file.toString('latin1', 148, 156)).toBe('keyvalue');
    expect(file.readUInt32LE(120)).toBe(crcAt(file, 120, 124, 156));
    expect(file.toString('latin1', 156, 164)).toBe('NENLSMVE');
    expect([164, 172, 180].map((at) => file.readBigUInt64LE(at))).toEqual([1n, 208n, 0n]);
    expect(file.readUInt32LE(204)).toBe(crcAt(file, 156, 156, 204));
    expect(file.length).toBe(208);
  });
});
