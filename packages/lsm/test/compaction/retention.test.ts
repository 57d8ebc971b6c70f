/**
 * What a merge keeps, held against the rule that matters: every snapshot, and the present, sees the same before and
 * after, whatever older data lies below.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinRanges, OlderKeys } from '../../src/compaction/older-keys.js';
import { Retention, Verdict } from '../../src/compaction/retention.js';
import { EntryKind } from '../../src/entry.js';
import { compareKeys } from '../../src/order.js';
import { RangeTombstones } from '../../src/range-tombstones.js';
import { compareVersions, entryOf, keys, sortedVersions, type Version } from '../entries.js';
import { visibleOf } from '../merge/visible-of.js';
import { propertySeeds } from '../seeds.js';

const NOW_MS = 1_700_000_000_000;
/** Older data has the lowest sequence numbers. */
const OLDER_BELOW = 100;

interface Tombstone {
  gte: Uint8Array;
  lt: Uint8Array;
  sequence: number;
}

function setOf(tombstones: readonly Tombstone[]): RangeTombstones {
  const set = new RangeTombstones();
  for (const { gte, lt, sequence } of tombstones) set.add(gte, lt, sequence);
  return set;
}

/** Merges as a job does. */
function merge(
  versions: readonly Version[],
  tombstones: readonly Tombstone[],
  snapshots: readonly number[],
  older: readonly Version[],
): { kept: Version[]; ranges: Tombstone[] } {
  const set = setOf(tombstones);
  const ranges = older.map(({ key }) => ({ smallest: key, largest: key }));
  const retention = new Retention({
    snapshots,
    nowMs: NOW_MS,
    tombstones: set,
    older: new OlderKeys(joinRanges(ranges)),
  });
  const kept: Version[] = [];
  for (const version of versions) {
    const verdict = retention.judge(entryOf(version));
    if (verdict === Verdict.drop) continue;
    const kind = verdict === Verdict.keepAsTombstone ? EntryKind.delete : version.kind;
    const expireAtMs = verdict === Verdict.keepAsTombstone ? 0 : version.expireAtMs;
    kept.push({ ...version, kind, expireAtMs });
  }
  const left = set.fragments.flatMap((fragment) =>
    retention
      .sequencesKept(fragment)
      .map((sequence) => ({ gte: fragment.gte, lt: fragment.lt, sequence })),
  );
  return { kept, ranges: left };
}

describe.each(propertySeeds('lsm retention'))('seed %i', (seed) => {
  it('a merge changes nothing that anybody sees, and keeps no more than that takes', () => {
    fc.assert(
      fc.property(
        sortedVersions(40),
        sortedVersions(15),
        fc.array(fc.tuple(keys, keys, fc.integer({ min: OLDER_BELOW, max: 400 })), {
          maxLength: 4,
        }),
        fc.uniqueArray(fc.integer({ min: 1, max: 420 }), { maxLength: 4 }),
        (given, below, spans, taken) => {
          const versions = given
            .filter(({ sequence }) => sequence >= OLDER_BELOW && sequence <= 300)
            .sort(compareVersions);
          const older = below.filter(({ sequence }) => sequence < OLDER_BELOW);
          const tombstones = spans.map(([a, b, sequence]) => {
            const [gte, lt] = compareKeys(a, b) < 0 ? [a, b] : [b, a];
            return { gte, lt, sequence };
          });
          const snapshots = [...taken].sort((a, b) => a - b);
          const { kept, ranges } = merge(versions, tombstones, snapshots, older);
          for (const reader of [...snapshots, 2 ** 53 - 1]) {
            const before = visibleOf([...versions, ...older], reader, setOf(tombstones), NOW_MS);
            const after = visibleOf([...kept, ...older], reader, setOf(ranges), NOW_MS);
            expect(after).toEqual(before);
          }
          // Again over its own output: nothing more to drop.
          const again = merge(kept, ranges, snapshots, older);
          expect(again.kept).toEqual(kept);
          if (older.length === 0 && snapshots.length === 0) {
            expect(kept.every(({ kind }) => kind !== EntryKind.delete)).toBe(true);
            expect(ranges).toEqual([]);
          }
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});
