/** Entries for tests: arbitrary ones in order, a model of what a sorted source must answer. */
import fc from 'fast-check';
import { type Entry, type EntryCursor, EntryKind } from '../src/entry.js';
import { compareKeys } from '../src/order.js';

/** An entry that owns its bytes. */
export interface Version {
  key: Uint8Array;
  sequence: number;
  kind: EntryKind;
  value: Uint8Array;
  expireAtMs: number;
}

const NONE = new Uint8Array(0);

export function emptyEntry(): Entry {
  return {
    keyBytes: NONE,
    keyFrom: 0,
    keyTo: 0,
    sequence: 0,
    kind: EntryKind.delete,
    expireAtMs: 0,
    valueBytes: NONE,
    valueFrom: 0,
    valueTo: 0,
  };
}

/** A copy of what an entry or a cursor shows. */
export function versionOf(entry: Entry): Version {
  return {
    key: Uint8Array.from(entry.keyBytes.subarray(entry.keyFrom, entry.keyTo)),
    sequence: entry.sequence,
    kind: entry.kind,
    value: Uint8Array.from(entry.valueBytes.subarray(entry.valueFrom, entry.valueTo)),
    expireAtMs: entry.expireAtMs,
  };
}

/** An entry that shows a version in the middle of larger arrays, so that offsets matter. */
export function entryOf(version: Version): Entry {
  const keyBytes = Buffer.concat([Buffer.from('<<'), version.key, Buffer.from('>')]);
  const valueBytes = Buffer.concat([Buffer.from('[[['), version.value, Buffer.from(']')]);
  return {
    keyBytes,
    keyFrom: 2,
    keyTo: 2 + version.key.length,
    sequence: version.sequence,
    kind: version.kind,
    expireAtMs: version.expireAtMs,
    valueBytes,
    valueFrom: 3,
    valueTo: 3 + version.value.length,
  };
}

/** Keys ascending, sequences of one key descending. */
export function compareVersions(a: Version, b: Version): number {
  return compareKeys(a.key, b.key) || b.sequence - a.sequence;
}

/** Keys that share beginnings, are equal often, and end in zeros sometimes. */
export const keys: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.array(fc.constantFrom(0, 1, 97, 98, 255), { maxLength: 6 }).map((b) => Uint8Array.from(b)),
  fc
    .tuple(fc.constantFrom('user:', 'user:000000:', ''), fc.integer({ min: 0, max: 60 }))
    .map(([prefix, n]) => Uint8Array.from(Buffer.from(prefix + String(n).padStart(9, '0')))),
  fc.uint8Array({ maxLength: 40 }),
);

const sequences = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 2 ** 31 - 5, max: 2 ** 31 + 5 }),
  fc.integer({ min: 2 ** 32 - 5, max: 2 ** 32 + 5 }),
  fc.integer({ min: 2 ** 53 - 100, max: 2 ** 53 - 1 }),
);

/** Versions with distinct (key, sequence), in order. */
export function sortedVersions(maxLength: number): fc.Arbitrary<Version[]> {
  return fc
    .array(
      fc.record({
        key: keys,
        sequence: sequences,
        kind: fc.constantFrom(EntryKind.put, EntryKind.put, EntryKind.delete),
        value: fc.uint8Array({ maxLength: 200 }),
        expireAtMs: fc.constantFrom(0, 0, 1, 1_800_000_000_000, 2 ** 53 - 1),
      }),
      { minLength: 1, maxLength },
    )
    .map((versions) => {
      const distinct = new Map<string, Version>();
      for (const each of versions) {
        distinct.set(`${Buffer.from(each.key).toString('hex')}@${each.sequence}`, each);
      }
      return [...distinct.values()].sort(compareVersions);
    });
}

/** Every version that a cursor shows, forwards or backwards. */
export function walk(cursor: EntryCursor, direction: 'forwards' | 'backwards'): Version[] {
  const versions: Version[] = [];
  if (direction === 'forwards') {
    for (cursor.seekToFirst(); cursor.valid; cursor.next()) versions.push(versionOf(cursor));
  } else {
    for (cursor.seekToLast(); cursor.valid; cursor.prev()) versions.push(versionOf(cursor));
  }
  return versions;
}

/** Compares a sorted source with the versions that it was made of. */
export function expectLikeModel(
  source: {
    cursor(): EntryCursor;
    get(key: Uint8Array, from: number, to: number, sequence: number, into: Entry): boolean;
  },
  versions: readonly Version[],
  probes: readonly { key: Uint8Array; sequence: number }[],
  expect: (actual: unknown, expected: unknown, what: string) => void,
): void {
  const cursor = source.cursor();
  expect(walk(cursor, 'forwards'), versions, 'forwards');
  expect(walk(cursor, 'backwards'), [...versions].reverse(), 'backwards');
  const into = emptyEntry();
  const all = [...versions, ...probes];
  for (const { key, sequence } of all) {
    const padded = Buffer.concat([Buffer.from('x'), key]);
    const at = versions.findIndex(
      (each) =>
        compareKeys(each.key, key) > 0 ||
        (compareKeys(each.key, key) === 0 && each.sequence <= sequence),
    );
    const wanted = at < 0 ? undefined : versions[at];
    const hit = wanted !== undefined && compareKeys(wanted.key, key) === 0 ? wanted : undefined;
    const found = source.get(padded, 1, padded.length, sequence, into);
    expect(found ? versionOf(into) : undefined, hit, 'get');
    cursor.seek(padded, 1, padded.length, sequence);
    expect(cursor.valid ? versionOf(cursor) : undefined, wanted, 'seek');
    const before = versions.findLast((each) => compareKeys(each.key, key) < 0);
    cursor.seekBefore(padded, 1, padded.length);
    expect(cursor.valid ? versionOf(cursor) : undefined, before, 'seekBefore');
    if (cursor.valid) {
      cursor.next();
      const following = versions[versions.indexOf(before!) + 1];
      expect(cursor.valid ? versionOf(cursor) : undefined, following, 'next behind seekBefore');
    }
  }
  cursor.close();
}
