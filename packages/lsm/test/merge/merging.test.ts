/** Merged sources, and what of them is visible, against arrays. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryCursor } from '../../src/entry.js';
import { mergeCursors } from '../../src/merge/merging-cursor.js';
import { RunCursor } from '../../src/merge/run-cursor.js';
import { VisibleCursor } from '../../src/merge/visible-cursor.js';
import { compareKeys } from '../../src/order.js';
import { RangeTombstones } from '../../src/range-tombstones.js';
import { keys, sortedVersions, type Version, versionOf } from '../entries.js';
import { propertySeeds } from '../seeds.js';
import { ArrayCursor } from './array-cursor.js';
import { visibleOf } from './visible-of.js';

const move = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('next' as const, 'prev' as const) },
  { weight: 1, arbitrary: fc.constantFrom('first' as const, 'last' as const) },
  { weight: 2, arbitrary: fc.record({ seek: keys, sequence: fc.constantFrom(0, 5, 2 ** 53 - 1) }) },
  { weight: 2, arbitrary: fc.record({ seekBefore: keys }) },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** Deals versions out to `count` sources. */
function deal(versions: readonly Version[], count: number, dice: readonly number[]): Version[][] {
  const sources: Version[][] = Array.from({ length: count }, () => []);
  versions.forEach((version, i) => {
    sources[dice[i % dice.length] % count].push(version);
  });
  return sources;
}

/** A run of tables: versions cut where a new key begins. */
function runOf(versions: readonly Version[], size: number): EntryCursor {
  const tables: Version[][] = [];
  for (const version of versions) {
    const last = tables.at(-1);
    const same = last !== undefined && compareKeys(last[last.length - 1].key, version.key) === 0;
    if (last === undefined || (last.length >= size && !same)) tables.push([version]);
    else last.push(version);
  }
  let held = 0;
  return new RunCursor(
    tables.map((versions) => ({ smallest: versions[0].key, versions })),
    {
      cursor(table) {
        if (++held > 1) throw new Error('expected one table at a time');
        return new ArrayCursor(table.versions);
      },
      release() {
        held--;
      },
    },
  );
}

describe.each(propertySeeds('lsm merge'))('seed %i', (seed) => {
  it('a merge of sources is the sorted array of all, whichever way it is walked', () => {
    fc.assert(
      fc.property(
        sortedVersions(60),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.array(move, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (versions, count, dice, moves, size) => {
          const sources = deal(versions, count, dice);
          const cursors = sources.map((source, i) =>
            i % 2 === 0 ? new ArrayCursor(source) : runOf(source, size),
          );
          const merged = mergeCursors(cursors);
          const plain = new ArrayCursor(versions);
          for (const each of moves) {
            step(merged, each);
            step(plain, each);
            expect(merged.valid).toBe(plain.valid);
            if (plain.valid) expect(versionOf(merged)).toEqual(versionOf(plain));
          }
          merged.close();
        },
      ),
      { seed, numRuns: 150 },
    );
  });

  it('a visible cursor shows the newest version below its snapshot, unless it is hidden', () => {
    fc.assert(
      fc.property(
        sortedVersions(50),
        fc.integer({ min: 1, max: 320 }),
        fc.array(fc.tuple(keys, keys, fc.integer({ min: 1, max: 320 })), { maxLength: 4 }),
        fc.array(move, { maxLength: 60 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        (given, snapshot, ranges, moves, dice) => {
          const versions = given.filter(({ sequence }) => sequence <= 310);
          const tombstones = new RangeTombstones();
          for (const [a, b, sequence] of ranges) {
            const [gte, lt] = compareKeys(a, b) < 0 ? [a, b] : [b, a];
            tombstones.add(gte, lt, sequence);
          }
          const nowMs = 1_700_000_000_000;
          const shown = visibleOf(versions, snapshot, tombstones, nowMs);
          const source = mergeCursors(deal(versions, 3, dice).map((each) => new ArrayCursor(each)));
          const visible = new VisibleCursor(source, tombstones, snapshot, nowMs);
          const plain = new ArrayCursor(shown);
          for (const each of moves) {
            if (each === 'next' || each === 'prev') {
              if (!visible.valid) continue;
              visible[each]();
              plain[each]();
            } else if (typeof each === 'object' && 'seek' in each) {
              visible.seek(each.seek, 0, each.seek.length);
              plain.seek(each.seek, 0, each.seek.length, 2 ** 53 - 1);
            } else step2(visible, plain, each);
            expect(visible.valid).toBe(plain.valid);
            if (plain.valid) expect(versionOf(visible)).toEqual(versionOf(plain));
          }
          visible.close();
        },
      ),
      { seed, numRuns: 250 },
    );
  });
});

function step(cursor: ArrayCursor | ReturnType<typeof mergeCursors>, each: Move): void {
  if (each === 'next' || each === 'prev') {
    if (cursor.valid) cursor[each]();
  } else if (each === 'first') cursor.seekToFirst();
  else if (each === 'last') cursor.seekToLast();
  else if ('seek' in each) cursor.seek(each.seek, 0, each.seek.length, each.sequence);
  else cursor.seekBefore(each.seekBefore, 0, each.seekBefore.length);
}

function step2(
  visible: VisibleCursor,
  plain: ArrayCursor,
  each: 'first' | 'last' | { seekBefore: Uint8Array },
): void {
  for (const cursor of [visible, plain]) {
    if (each === 'first') cursor.seekToFirst();
    else if (each === 'last') cursor.seekToLast();
    else cursor.seekBefore(each.seekBefore, 0, each.seekBefore.length);
  }
}
