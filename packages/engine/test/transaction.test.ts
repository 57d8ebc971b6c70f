import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEffects } from '../src/effects/apply.js';
import { Databases } from '../src/effects/databases.js';
import { EffectType } from '../src/effects/format.js';
import { EffectReader } from '../src/effects/reader.js';
import { MapStore } from '../src/stores/map/map-store.js';
import { ValueType } from '../src/stores/store.js';
import { Transaction } from '../src/transaction.js';
import type { TransactionView } from '../src/types.js';

const NOW_MS = 1_000;
const LIMITS = { valueBytesMax: 1_000, commitBytesMax: 100_000 };
const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

/** A store with a transaction over it, committed by hand. */
class Bench {
  readonly store = new MapStore();
  readonly databases = new Databases();
  readonly transaction: Transaction;
  readonly #reader = new EffectReader();

  constructor(limits = LIMITS) {
    this.transaction = new Transaction(this.store, this.databases, limits);
  }

  begin(nowMs = NOW_MS): TransactionView {
    this.transaction.end();
    this.transaction.begin(nowMs);
    return this.transaction;
  }

  commit(): void {
    this.apply(0, this.transaction.writer.length);
  }

  /** Applies some of what is staged. */
  apply(from: number, to: number): void {
    const { bytes } = this.transaction.writer;
    applyEffects(this.#reader, bytes, from, to, this.store, this.databases);
  }
}

/** Applies the effect that `effect` has just read, and compares what it says with what it does. */
function expectTrue(bench: Bench, effect: EffectReader, from: number): void {
  const { store } = bench;
  const { bytes, namespace, keyFrom, keyTo, fieldFrom, fieldTo } = effect;
  const typeNow = () => store.find(namespace, bytes, keyFrom, keyTo)?.type;
  const hasField = () =>
    store.findField(namespace, bytes, keyFrom, keyTo, bytes, fieldFrom, fieldTo) !== undefined;
  const before = typeNow();
  const fieldBefore = effect.type === EffectType.fieldPut && hasField();
  bench.apply(from, effect.offset);
  const after = typeNow();
  expect(before ?? after).toBeDefined();
  expect({
    valueType: effect.valueType,
    created: effect.created,
    removed: effect.removed,
    fieldCreated: effect.fieldCreated,
  }).toEqual({
    valueType: after ?? before,
    created: before === undefined,
    removed: after === undefined,
    fieldCreated: effect.type === EffectType.fieldPut && !fieldBefore,
  });
}

const b = (text: string) => Buffer.from(text, 'latin1');

function put(tx: TransactionView, database: number, key: string, value: string, expireAtMs = 0) {
  tx.putString(database, b(key), 0, key.length, b(value), 0, value.length, expireAtMs);
}

function putField(
  tx: TransactionView,
  database: number,
  key: string,
  field: string,
  value: string,
) {
  return tx.putField(
    database,
    b(key),
    0,
    key.length,
    b(field),
    0,
    field.length,
    b(value),
    0,
    value.length,
  );
}

function typeOf(tx: TransactionView, database: number, key: string): ValueType | undefined {
  return tx.find(database, b(key), 0, key.length)?.type;
}

/** Everything that can be read, in a comparable form. */
function readAll(tx: TransactionView): unknown {
  return [0, 1, 2].map((database) => {
    const keys = new Map<string, unknown>();
    let cursor = 0;
    do {
      cursor = tx.scan(database, cursor, 3, (key) =>
        keys.set(Buffer.from(key).toString('latin1'), 0),
      );
    } while (cursor !== 0);
    for (const key of keys.keys()) keys.set(key, readKey(tx, database, key));
    return {
      count: tx.keyCount(database),
      expiring: tx.expiringCount(database),
      keys: [...keys].sort(),
    };
  });
}

function readKey(tx: TransactionView, database: number, key: string): unknown {
  const view = tx.find(database, b(key), 0, key.length);
  if (!view) return 'scanned but not found';
  const { type, expireAtMs, length } = view;
  if (type === ValueType.string) {
    const copy = Buffer.alloc(length);
    view.copyTo(copy, 0);
    expect(Buffer.from(view.bytes())).toEqual(copy);
    return { type, expireAtMs, value: copy.toString('latin1') };
  }
  const fields: [string, string, number][] = [];
  let cursor = 0;
  do {
    cursor = tx.scanFields(database, b(key), 0, key.length, cursor, 2, (field, value) => {
      fields.push([
        Buffer.from(field).toString('latin1'),
        Buffer.from(value.bytes()).toString('latin1'),
        value.expireAtMs,
      ]);
    });
  } while (cursor !== 0);
  for (const [field, value, expireAtMs] of fields) {
    const found = tx.findField(database, b(key), 0, key.length, b(field), 0, field.length);
    expect(found && Buffer.from(found.bytes()).toString('latin1')).toBe(value);
    expect(found?.expireAtMs).toBe(expireAtMs);
  }
  expect(length).toBe(fields.length);
  return { type, expireAtMs, fields: fields.sort() };
}

/** What is sampled lives, and something is where anything does. */
function expectSampled(tx: TransactionView, database: number, key: string, random: number): void {
  const living = new Set<string>();
  tx.scan(database, 0, 100, (name) => living.add(String(name)));
  let sampled: string | undefined;
  const found = tx.sampleKey(database, random, (name) => {
    sampled = String(name);
  });
  expect([found, sampled !== undefined && living.has(sampled)]).toEqual(
    Array(2).fill(living.size > 0),
  );
  const fields = new Map<string, string>();
  tx.scanFields(database, b(key), 0, key.length, 0, 100, (name, value) => {
    fields.set(String(name), String(value.bytes()));
  });
  let field: [string, string] | undefined;
  tx.sampleField(database, b(key), 0, key.length, random, (name, value) => {
    field = [String(name), String(value.bytes())];
  });
  expect(field && fields.get(field[0])).toBe(field?.[1]);
  expect(field !== undefined).toBe(fields.size > 0);
}

const database = fc.nat(2);
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const field = fc.constantFrom('f', 'g', 'h');
const text = fc.string({ maxLength: 6 });
/** Some are before `NOW_MS`: such keys are past their time. */
const expireAtMs = fc.constantFrom(0, NOW_MS - 1, NOW_MS, NOW_MS + 500);

const operation: fc.Arbitrary<(tx: TransactionView) => void> = fc.oneof(
  fc.tuple(database, key, text, expireAtMs).map(([d, k, v, at]) => (tx: TransactionView) => {
    put(tx, d, k, v, at);
  }),
  fc.tuple(database, key).map(([d, k]) => (tx: TransactionView) => {
    const there = tx.find(d, b(k), 0, 1) !== undefined;
    expect(tx.remove(d, b(k), 0, 1)).toBe(there);
    expect(tx.find(d, b(k), 0, 1)).toBeUndefined();
  }),
  fc.tuple(database, key, expireAtMs).map(([d, k, at]) => (tx: TransactionView) => {
    const there = tx.find(d, b(k), 0, 1) !== undefined;
    expect(tx.setExpiry(d, b(k), 0, 1, at)).toBe(there);
  }),
  fc.tuple(database, key, fc.nat(5), text).map(([d, k, at, v]) => (tx: TransactionView) => {
    if (typeOf(tx, d, k) === ValueType.hash) return;
    tx.patchString(d, b(k), 0, 1, at, b(v), 0, v.length, at + v.length);
  }),
  fc.tuple(database, key, field, text).map(([d, k, f, v]) => (tx: TransactionView) => {
    if (typeOf(tx, d, k) === ValueType.string) return;
    const there = tx.findField(d, b(k), 0, 1, b(f), 0, 1) !== undefined;
    expect(putField(tx, d, k, f, v)).toBe(!there);
  }),
  fc.tuple(database, key, field).map(([d, k, f]) => (tx: TransactionView) => {
    const there = tx.findField(d, b(k), 0, 1, b(f), 0, 1) !== undefined;
    expect(tx.removeField(d, b(k), 0, 1, b(f), 0, 1)).toBe(there);
  }),
  fc.tuple(database, key, field, expireAtMs).map(([d, k, f, at]) => (tx: TransactionView) => {
    const there = tx.findField(d, b(k), 0, 1, b(f), 0, 1) !== undefined;
    expect(tx.setFieldExpiry(d, b(k), 0, 1, b(f), 0, 1, at)).toBe(there);
  }),
  fc.tuple(database, key, database, key).map(([d, k, e, l]) => (tx: TransactionView) => {
    if (d === e && k === l) return;
    const before = tx.find(d, b(k), 0, 1) && readKey(tx, d, k);
    expect(tx.copy(d, b(k), 0, 1, e, b(l), 0, 1)).toBe(before !== undefined);
    if (before) expect(readKey(tx, e, l)).toEqual(before);
  }),
  fc.tuple(database, key, field).map(([d, k, f]) => (tx: TransactionView) => {
    if (!(tx instanceof Transaction)) return;
    const living = tx.findField(d, b(k), 0, 1, b(f), 0, 1) !== undefined;
    const left = living && readKey(tx, d, k);
    const removed = tx.removeExpiredField(d, b(k), b(f));
    if (living) expect([removed, readKey(tx, d, k)]).toEqual([false, left]);
  }),
  fc.tuple(database, key, fc.nat(999)).map(([d, k, at]) => (tx: TransactionView) => {
    expectSampled(tx, d, k, at / 1_000);
  }),
  database.map((d) => (tx: TransactionView) => tx.flushDatabase(d)),
  fc.tuple(database, database).map(
    ([x, y]) =>
      (tx: TransactionView) =>
        tx.swapDatabases(x, y),
  ),
);

describe('a transaction', () => {
  for (const seed of [3, rotating]) {
    it(`reads what its commit will leave, seed ${seed}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 6 }),
          (batches) => {
            const bench = new Bench();
            for (const batch of batches) {
              const tx = bench.begin();
              for (const run of batch) run(tx);
              const staged = readAll(tx);
              bench.commit();
              expect(readAll(bench.begin())).toEqual(staged);
            }
          },
        ),
        { seed, numRuns: 400 },
      );
    });

    it(`R1: has the same effect when replayed over any later state, seed ${seed}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 8 }),
          (batches) => {
            const bench = new Bench();
            const records: Buffer[] = [];
            for (const batch of batches) {
              const tx = bench.begin();
              for (const run of batch) run(tx);
              const { bytes, length } = bench.transaction.writer;
              records.push(Buffer.from(bytes.subarray(0, length)));
              bench.commit();
            }
            const expected = readAll(bench.begin(0));
            for (let from = 0; from < records.length; from++) {
              const reader = new EffectReader();
              for (const record of records.slice(from)) {
                applyEffects(reader, record, 0, record.length, bench.store, bench.databases);
              }
              expect(readAll(bench.begin(0))).toEqual(expected);
            }
          },
        ),
        { seed, numRuns: 300 },
      );
    });
  }

  /** A key put over one past its time once said to be new with the old one still there. */
  it('R1: says with each effect what it does to its key: type, created, removed, field created', () => {
    fc.assert(
      fc.property(fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 6 }), (batches) => {
        const bench = new Bench();
        for (const batch of batches) {
          const tx = bench.begin();
          for (const run of batch) run(tx);
          const { bytes, length } = bench.transaction.writer;
          const reader = new EffectReader();
          reader.reset(bytes, 0, length);
          for (let from = 0; reader.next(); from = reader.offset) {
            if (reader.type === EffectType.databases) bench.apply(from, reader.offset);
            else expectTrue(bench, reader, from);
          }
        }
      }),
      { seed: rotating, numRuns: 300 },
    );
  });

  it('hides a key from the millisecond after its time on', () => {
    const bench = new Bench();
    put(bench.begin(), 0, 'k', 'v', 50);
    bench.commit();
    expect(typeOf(bench.begin(50), 0, 'k')).toBe(ValueType.string);
    expect(typeOf(bench.begin(51), 0, 'k')).toBeUndefined();
  });

  it('deletes a key past its time before it puts a field in its place', () => {
    const bench = new Bench();
    const tx = bench.begin(10);
    putField(tx, 0, 'h', 'old', '1');
    tx.setExpiry(0, b('h'), 0, 1, 20);
    bench.commit();
    const later = bench.begin(30);
    putField(later, 0, 'h', 'new', '2');
    bench.commit();
    expect(readKey(bench.begin(31), 0, 'h')).toEqual({
      type: ValueType.hash,
      expireAtMs: 0,
      fields: [['new', '2', 0]],
    });
  });

  it('hides fields past their time, and a hash with its last one', () => {
    const bench = new Bench();
    const tx = bench.begin(10);
    for (const field of ['a', 'b', 'c']) putField(tx, 0, 'h', field, field);
    tx.setFieldExpiry(0, b('h'), 0, 1, b('a'), 0, 1, 20);
    tx.setFieldExpiry(0, b('h'), 0, 1, b('b'), 0, 1, 30);
    bench.commit();
    const fieldsAt = (nowMs: number) => {
      const later = bench.begin(nowMs);
      return typeOf(later, 0, 'h') && readKey(later, 0, 'h');
    };
    expect(fieldsAt(20)).toMatchObject({ fields: [{}, {}, {}] });
    expect(fieldsAt(21)).toMatchObject({
      fields: [
        ['b', 'b', 30],
        ['c', 'c', 0],
      ],
    });
    expect(fieldsAt(31)).toMatchObject({ fields: [['c', 'c', 0]] });
    const later = bench.begin(31);
    expect(later.removeField(0, b('h'), 0, 1, b('c'), 0, 1)).toBe(true);
    expect(typeOf(later, 0, 'h')).toBeUndefined();
    bench.commit();
    expect(bench.store.keyCount(0)).toBe(0);
  });

  it('makes a hash anew where all its fields are past their time', () => {
    const bench = new Bench();
    const tx = bench.begin(10);
    putField(tx, 0, 'h', 'old', '1');
    tx.setFieldExpiry(0, b('h'), 0, 1, b('old'), 0, 3, 20);
    tx.setExpiry(0, b('h'), 0, 1, 500);
    bench.commit();
    const later = bench.begin(30);
    expect(later.find(0, b('h'), 0, 1)).toBeUndefined();
    expect(later.setExpiry(0, b('h'), 0, 1, 600)).toBe(false);
    put(later, 0, 'h', 'a string');
    later.remove(0, b('h'), 0, 1);
    putField(later, 0, 'h', 'new', '2');
    bench.commit();
    const fields = [['new', '2', 0]];
    expect(readKey(bench.begin(31), 0, 'h')).toEqual({ type: 2, expireAtMs: 0, fields });
  });

  it('samples keys and fields of its own beside those of the store', () => {
    const bench = new Bench();
    const tx = bench.begin();
    for (const key of ['a', 'b']) put(tx, 0, key, 'v');
    for (const field of ['f', 'g']) putField(tx, 0, 'h', field, 'v');
    bench.commit();
    const next = bench.begin();
    for (const key of ['c', 'd']) put(next, 0, key, 'v');
    next.remove(0, b('a'), 0, 1);
    putField(next, 0, 'h', 'i', 'v');
    next.removeField(0, b('h'), 0, 1, b('f'), 0, 1);
    const keys = new Map<string, number>();
    const fields = new Map<string, number>();
    const count = (into: Map<string, number>) => (name: Uint8Array) =>
      into.set(String(name), (into.get(String(name)) ?? 0) + 1);
    for (let i = 0; i < 1_000; i++) {
      next.sampleKey(0, i / 1_000, count(keys));
      next.sampleField(0, b('h'), 0, 1, i / 1_000, count(fields));
    }
    expect([...keys.keys()].sort()).toEqual(['b', 'c', 'd', 'h']);
    expect([...fields.keys()].sort()).toEqual(['g', 'i']);
    for (const times of [...keys.values(), ...fields.values()]) expect(times).toBeGreaterThan(100);
  });

  it('copies to another key only', () => {
    const bench = new Bench();
    const tx = bench.begin();
    put(tx, 0, 'k', 'v', NOW_MS + 5);
    expect(() => tx.copy(0, b('xkx'), 1, 2, 0, b('k'), 0, 1)).toThrow(/two keys/);
    expect(tx.copy(0, b('k'), 0, 1, 1, b('k'), 0, 1)).toBe(true);
    expect(tx.copy(0, b('none'), 0, 4, 1, b('k'), 0, 1)).toBe(false);
    expect(readKey(tx, 1, 'k')).toMatchObject({ value: 'v', expireAtMs: NOW_MS + 5 });
  });

  it('refuses a value or a commit above the limit, and stages nothing of it', () => {
    const bench = new Bench();
    const tx = bench.begin();
    expect(() => put(tx, 0, 'k', 'x'.repeat(1_001))).toThrow(/at most 1000 bytes, got 1001/);
    expect(bench.transaction.writer.count).toBe(0);
    expect(() => {
      for (let i = 0; i < 200; i++) put(tx, 0, `k${i}`, 'x'.repeat(1_000));
    }).toThrow(/commit of at most 100000 bytes/);
  });

  /** Each patch of a staged string once copied all of it: a thousand SETBITs in an EXEC, for seconds. */
  it('patches a staged string where it is, and copies one that grows step by step seldom', () => {
    const bench = new Bench({ valueBytesMax: 1e6, commitBytesMax: 1e6 });
    const tx = bench.begin();
    put(tx, 0, 'k', 'x'.repeat(50_000));
    const patch = (at: number, text: string, newLength: number) => {
      tx.patchString(0, b('k'), 0, 1, at, b(text), 0, text.length, newLength);
      const bytes = tx.find(0, b('k'), 0, 1)?.bytes();
      expect(bytes?.length).toBe(newLength);
      return bytes?.buffer;
    };
    patch(1, 'a', 50_000);
    const places = new Set<ArrayBufferLike | undefined>();
    for (let i = 0; i < 100; i++) places.add(patch(i, 'b', 50_000));
    expect(places.size).toBe(1);
    for (let i = 1; i <= 1_000; i++) places.add(patch(49_999 + i, 'c', 50_000 + i));
    expect(places.size).toBeLessThan(4);
    patch(0, '', 10);
    patch(20, 'd', 21);
    const expected = `${'b'.repeat(10)}${'\0'.repeat(10)}d`;
    expect(readKey(tx, 0, 'k')).toMatchObject({ value: expected });
    tx.remove(0, b('k'), 0, 1);
    patch(3, 'e', 4);
    expect(readKey(tx, 0, 'k')).toMatchObject({ value: '\0\0\0e' });
    bench.commit();
    expect(readKey(bench.begin(), 0, 'k')).toMatchObject({ value: '\0\0\0e' });
  });

  it('refuses to make a hash of a string', () => {
    const bench = new Bench();
    const tx = bench.begin();
    put(tx, 0, 'k', 'v');
    expect(() => putField(tx, 0, 'k', 'f', 'v')).toThrow(TypeError);
  });
});
