/** The rule of what a reader sees, written down plainly. */
import { EntryKind } from '../../src/entry.js';
import { compareKeys } from '../../src/order.js';
import type { RangeTombstones } from '../../src/range-tombstones.js';
import { compareVersions, type Version } from '../entries.js';

/** What a reader of `snapshot` at `nowMs` sees, by the rule itself. */
export function visibleOf(
  versions: readonly Version[],
  snapshot: number,
  tombstones: RangeTombstones,
  nowMs: number,
): Version[] {
  const seen: Version[] = [];
  let last: Uint8Array | undefined;
  for (const version of [...versions].sort(compareVersions)) {
    const { key, sequence, kind, expireAtMs } = version;
    if (sequence > snapshot) continue;
    if (last !== undefined && compareKeys(last, key) === 0) continue;
    last = key;
    const covered = tombstones.covering(key, 0, key.length, snapshot) > sequence;
    const expired = expireAtMs !== 0 && expireAtMs <= nowMs;
    if (kind !== EntryKind.delete && !covered && !expired) seen.push(version);
  }
  return seen;
}
