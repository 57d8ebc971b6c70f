import { FormatError } from '@nendb/codec';
import { describe, expect, it } from 'vitest';
import { EffectType, effectFlags } from '../../src/effects/format.js';
import { EffectReader } from '../../src/effects/reader.js';
import { EffectWriter } from '../../src/effects/writer.js';
import { ValueType } from '../../src/stores/store.js';

const b = (text: string) => Buffer.from(text, 'latin1');
const NAMESPACES = [5, 2 ** 33, 7, ...Array.from({ length: 13 }, (_, i) => 20 + i)];

/** One effect of each kind, with values on both sides of every varint width. */
function writeAll(): EffectWriter {
  const writer = new EffectWriter(10_000_000);
  const long = Buffer.alloc(300_000, 'l');
  writer.put(
    2 ** 40,
    ValueType.string,
    true,
    b('key'),
    0,
    3,
    Number.MAX_SAFE_INTEGER,
    long,
    0,
    long.length,
  );
  writer.delete(0, ValueType.hash, b('xkeyx'), 1, 4);
  writer.expire(1, ValueType.string, b('key'), 0, 3, 2 ** 31);
  writer.patch(1, ValueType.string, true, b('key'), 0, 3, 127, 2 ** 31 + 200, b('patch'), 0, 5);
  writer.fieldPut(1, ValueType.hash, true, true, b('key'), 0, 3, b('field'), 0, 5, b(''), 0, 0);
  writer.fieldDrop(1, ValueType.hash, true, b('key'), 0, 3, b('field'), 0, 5);
  writer.fieldExpire(9, ValueType.hash, b('key'), 0, 3, b('field'), 0, 5, 2 ** 41);
  writer.databases(NAMESPACES, 2 ** 34);
  return writer;
}

function readAll(bytes: Uint8Array, to = bytes.length): Record<string, unknown>[] {
  const reader = new EffectReader();
  reader.reset(bytes, 0, to);
  const text = (from: number, end: number) => Buffer.from(bytes).toString('latin1', from, end);
  const effects: Record<string, unknown>[] = [];
  while (reader.next()) {
    effects.push({
      type: reader.type,
      flags: reader.flags,
      namespace: reader.namespace,
      key: text(reader.keyFrom, reader.keyTo),
      field: text(reader.fieldFrom, reader.fieldTo),
      value: text(reader.valueFrom, reader.valueTo),
      expireAtMs: reader.expireAtMs,
      at: reader.at,
      newLength: reader.newLength,
      namespaces: reader.namespaces,
      nextNamespace: reader.nextNamespace,
    });
  }
  return effects;
}

describe('effects', () => {
  it('are read back as they were written', () => {
    const { bytes, length, count } = writeAll();
    const effects = readAll(bytes, length);
    expect(effects).toHaveLength(count);
    const string = ValueType.string;
    const hash = ValueType.hash;
    expect(effects[0]).toMatchObject({
      type: EffectType.put,
      flags: effectFlags(string, true),
      namespace: 2 ** 40,
      key: 'key',
      expireAtMs: Number.MAX_SAFE_INTEGER,
      value: 'l'.repeat(300_000),
    });
    expect(effects[1]).toMatchObject({
      type: EffectType.delete,
      flags: effectFlags(hash, false, true),
      namespace: 0,
      key: 'key',
    });
    expect(effects[2]).toMatchObject({
      type: EffectType.expire,
      flags: string,
      expireAtMs: 2 ** 31,
    });
    expect(effects[3]).toMatchObject({
      type: EffectType.patch,
      flags: effectFlags(string, true),
      at: 127,
      newLength: 2 ** 31 + 200,
      value: 'patch',
    });
    expect(effects[4]).toMatchObject({
      type: EffectType.fieldPut,
      flags: effectFlags(hash, true, false, true),
      field: 'field',
      value: '',
    });
    expect(effects[5]).toMatchObject({
      type: EffectType.fieldDrop,
      flags: effectFlags(hash, false, true),
      field: 'field',
    });
    expect(effects[6]).toMatchObject({
      type: EffectType.fieldExpire,
      flags: hash,
      namespace: 9,
      key: 'key',
      field: 'field',
      expireAtMs: 2 ** 41,
    });
    expect(effects[7]).toMatchObject({
      type: EffectType.databases,
      namespaces: NAMESPACES,
      nextNamespace: 2 ** 34,
    });
  });

  it('R1: of an unknown type or with unknown flags are refused, never skipped', () => {
    for (const bytes of [
      Buffer.from([8, 1, 0, 1, 65]),
      Buffer.from([255, 1, 0, 1, 65]),
      Buffer.from([0, 0, 0, 0]),
      Buffer.from([EffectType.delete, 0x81, 0, 1, 65]),
      // A type of value that a later release may bring, and flags that the effect cannot have.
      Buffer.from([EffectType.delete, 0x23, 0, 1, 65]),
      Buffer.from([EffectType.put, 0x12, 0, 1, 65, 0, 0]),
      Buffer.from([EffectType.put, 0x21, 0, 1, 65, 0, 0]),
      Buffer.from([EffectType.expire, 0x10, 0, 1, 65, 0]),
      Buffer.from([EffectType.patch, 0x02, 0, 1, 65, 0, 0, 0]),
      Buffer.from([EffectType.fieldPut, 0x01, 0, 1, 65, 1, 65, 0]),
      Buffer.from([EffectType.fieldPut, 0x22, 0, 1, 65, 1, 65, 0]),
      Buffer.from([EffectType.fieldDrop, 0x12, 0, 1, 65, 1, 65]),
      Buffer.from([EffectType.fieldExpire, 0x01, 0, 1, 65, 1, 65, 0]),
      Buffer.from([EffectType.fieldExpire, 0x22, 0, 1, 65, 1, 65, 0]),
      Buffer.from([EffectType.databases, 0x01, 1, 1, 0]),
    ]) {
      expect(() => readAll(bytes)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
    }
  });

  it('give the memory of a long commit back', () => {
    const writer = writeAll();
    const kept = writer.bytes;
    writer.reset();
    expect(writer.bytes).toBe(kept);
    const long = Buffer.alloc(2_000_000);
    writer.put(0, ValueType.string, true, b('k'), 0, 1, 0, long, 0, long.length);
    writer.reset();
    expect([writer.length, writer.count]).toEqual([0, 0]);
    expect(writer.bytes.length).toBeLessThan(100_000);
  });

  it('cut short anywhere are refused, or end between two effects', () => {
    const { bytes, length } = writeAll();
    const whole = readAll(bytes, length).length;
    const step = (at: number) => (at > 20 && at < length - 150 ? 10_007 : 1);
    for (let to = 0; to < length; to += step(to)) {
      let read = -1;
      try {
        read = readAll(bytes, to).length;
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
      expect(read).toBeLessThan(whole);
    }
  });

  it('refuse a patch outside its string and a map of databases that names nothing or one twice', () => {
    const writer = new EffectWriter(1_000);
    writer.patch(1, ValueType.string, false, b('k'), 0, 1, 3, 4, b('ab'), 0, 2);
    expect(() => readAll(writer.bytes, writer.length)).toThrow(/patch within 4 bytes/);
    for (const [namespaces, next, message] of [
      [[5, 6], 20, /expected 16 databases, got 2/],
      [[...NAMESPACES, 4], 2 ** 34, /expected 16 databases, got 17/],
      [[...NAMESPACES.slice(1), 7], 2 ** 34, /16 different namespaces/],
      [NAMESPACES, 2 ** 33, /below 8589934592/],
    ] as const) {
      const map = new EffectWriter(1_000);
      map.databases(namespaces, next);
      expect(() => readAll(map.bytes, map.length)).toThrow(message);
    }
  });
});
