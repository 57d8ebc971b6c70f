/**
 * Gathers what ends from a region that was there before, a bounded step at a time, in the order of
 * hashes: what is behind `gatheredTo` is known, what is before it is not yet (`namespace.ts`).
 */
import type { RecordReader } from '@nendb/dash-hash';
import { KIND_STRING } from './format.js';
import type { Hashes } from './hashes.js';
import { HASHES, type Namespace } from './namespace.js';

/** Looks at about `recordsMax` further keys. Whether all are known then. */
export function gatherTimes(
  namespace: Namespace,
  records: RecordReader,
  hashes: Hashes,
  recordsMax: number,
): boolean {
  if (namespace.isGathered) return true;
  const { keys, gatheredTo, expiring, deadlines } = namespace;
  const next = keys.scan(gatheredTo, recordsMax, (record, hash) => {
    const expireAtMs = records.expireAtMs(record);
    if (expireAtMs !== 0) expiring.add(expireAtMs, hash);
    if (records.flags(record) === KIND_STRING) return;
    const soonestMs = hashes.soonestMs(namespace, record);
    if (soonestMs !== 0) deadlines.add(soonestMs, hash);
  });
  namespace.gatheredTo = next === 0 ? HASHES : next;
  return namespace.isGathered;
}
