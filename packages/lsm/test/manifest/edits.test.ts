/** Edits and batches as bytes: what goes in comes out, and nothing else is believed. */
import { FormatError } from '@nendb/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch, type BatchTarget } from '../../src/log/batch.js';
import { decodeEdit, encodeEdit } from '../../src/manifest/edit.js';
import { compareKeys } from '../../src/order.js';
import { keys } from '../entries.js';
import { propertySeeds } from '../seeds.js';

const number = fc.oneof(fc.nat(300), fc.integer({ min: 2 ** 31 - 2, max: 2 ** 53 - 2 }));
const table = fc.record({
  number,
  level: fc.nat(6),
  run: number,
  fileBytes: number,
  smallest: keys,
  largest: keys,
  sequenceMin: number,
  sequenceMax: number,
  entries: number,
  tombstones: number,
  rangeTombstones: number,
  expireMinMs: number,
  keyId: fc.constantFrom(-1, 0, 1, 0xfffffffe),
  createdMs: number,
  valueRefs: fc.array(fc.record({ file: number, bytes: number, entries: number }), {
    maxLength: 3,
  }),
});
const valueFile = fc.record({
  ...{ number, fileBytes: number, recordBytes: number, createdMs: number },
  keyId: fc.constantFrom(-1, 7),
});
const edit = fc.record(
  {
    nextFileNumber: number,
    flushedSequence: number,
    metadata: fc.uint8Array({ maxLength: 20 }),
    logKind: fc.constantFrom('own' as const, 'external' as const),
    log: fc.record({ base: number, started: fc.boolean() }),
  },
  { requiredKeys: [] },
);
const lists = fc.record({
  addTables: fc.array(table, { maxLength: 4 }),
  removeTables: fc.array(number, { maxLength: 4 }),
  addValueFiles: fc.array(valueFile, { maxLength: 3 }),
  removeValueFiles: fc.array(number, { maxLength: 3 }),
});

describe.each(propertySeeds('lsm edits'))('seed %i', (seed) => {
  it('an edit comes back as it was, and cut short it is refused or a shorter one', () => {
    fc.assert(
      fc.property(edit, lists, fc.nat(), (given, files, at) => {
        const whole = { ...given, ...files };
        const encoded = encodeEdit(whole);
        expect(decodeEdit(encoded)).toEqual(whole);
        const short = encoded.subarray(0, at % (encoded.length + 1));
        try {
          expect(encodeEdit(decodeEdit(short)).length).toBe(short.length);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('a batch leaves what its changes leave one after the other, each key once', () => {
    const change = fc.oneof(
      fc.record({
        kind: fc.constant('put' as const),
        key: keys,
        value: fc.uint8Array({ maxLength: 9 }),
        expireAtMs: fc.constantFrom(0, 5, 2 ** 50),
      }),
      fc.record({ kind: fc.constant('delete' as const), key: keys }),
      fc.record({ kind: fc.constant('deleteRange' as const), key: keys, lt: keys }),
    );
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 30 }),
        fc.array(keys, { maxLength: 10 }),
        (changes, others) => {
          const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');
          const held = new Map(others.map((key) => [hex(key), 'before']));
          const batch = new Batch();
          for (const each of changes) {
            if (each.kind === 'put') {
              batch.put(each.key, each.value, each.expireAtMs);
              held.set(hex(each.key), `${hex(each.value)} ${each.expireAtMs}`);
            } else if (each.kind === 'delete') {
              batch.delete(each.key);
              held.delete(hex(each.key));
            } else {
              batch.deleteRange(each.key, each.lt);
              for (const key of [...held.keys()]) {
                const bytes = Buffer.from(key, 'hex');
                if (compareKeys(bytes, each.key) >= 0 && compareKeys(bytes, each.lt) < 0)
                  held.delete(key);
              }
            }
          }
          const loaded = new Batch();
          const record = batch.buffer.slice(0, batch.bytes);
          loaded.load(Buffer.concat([Buffer.from('xx'), record]), 2, 2 + record.length);
          for (const each of [batch, loaded]) {
            expect(leftBy(each, new Map(others.map((key) => [hex(key), 'before'])))).toEqual(held);
          }
          expect(loaded.count).toBe(changes.length);
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});

/** What a store holds after a batch, whose changes all have one sequence number: ranges hide only what was before. */
function leftBy(batch: Batch, before: Map<string, string>): Map<string, string> {
  const points = new Map<string, string | undefined>();
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const set = (key: string, value: string | undefined) => {
    expect(points.has(key), 'a key occurs once').toBe(false);
    points.set(key, value);
  };
  const target: BatchTarget = {
    put: (bytes, from, to, valueFrom, valueTo, expireAtMs) =>
      set(
        hex(bytes.subarray(from, to)),
        `${hex(bytes.subarray(valueFrom, valueTo))} ${expireAtMs}`,
      ),
    delete: (bytes, from, to) => set(hex(bytes.subarray(from, to)), undefined),
    deleteRange: (gte, lt) => {
      for (const key of [...before.keys()]) {
        const bytes = Buffer.from(key, 'hex');
        if (compareKeys(bytes, gte) >= 0 && compareKeys(bytes, lt) < 0) before.delete(key);
      }
    },
  };
  batch.apply(target);
  for (const [key, value] of points) {
    if (value === undefined) before.delete(key);
    else before.set(key, value);
  }
  return before;
}
