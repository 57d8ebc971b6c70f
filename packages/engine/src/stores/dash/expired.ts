/**
 * Looking for what has ended: the indexes say which hashes, the tables whose they are.
 *
 * Invariants
 *  1. Work is bounded: a step is one key or field that is due, or one hash whose fields are looked
 *     through (a packed one has at most `PACKED_FIELDS_MAX`).
 *  2. Two keys of one hash and one time are two pairs in the index, and are visited with the first.
 */
import type { RecordReader } from '@nendb/dash-hash';
import type { ExpiredFieldVisitor } from '../store.js';
import type { ExpiryIndex } from './expiry-index.js';
import { KIND_MASK, KIND_NESTED, KIND_STRING } from './format.js';
import { type Hashes, nameOf } from './hashes.js';
import type { Namespace } from './namespace.js';
import { PackedFields } from './packed-fields.js';
import { keyOf } from './record-bytes.js';
import type { Tables } from './tables.js';

/** Visits the records of keys that end before `nowMs`; the steps it took. */
export function scanExpiredKeys(
  { expiring, keys }: Namespace,
  records: RecordReader,
  nowMs: number,
  count: number,
  stepsMax: number,
  visit: (record: number) => void,
): number {
  let visited = 0;
  return visitDue(expiring, nowMs, stepsMax, (timeMs, hash) => {
    keys.scanHash(hash, (record) => {
      if (visited === count || records.expireAtMs(record) !== timeMs) return;
      visited++;
      visit(record);
    });
    return visited < count;
  });
}

/** Visits the fields that end before `nowMs`; the steps it took. */
export function scanExpiredFields(
  namespace: Namespace,
  tables: Tables,
  hashes: Hashes,
  nowMs: number,
  count: number,
  stepsMax: number,
  visit: ExpiredFieldVisitor,
): number {
  const { records } = tables;
  const { deadlines, keys } = namespace;
  let left = count;
  let fieldSteps = 0;
  const steps = visitDue(deadlines, nowMs, stepsMax, (timeMs, hash) => {
    const due: number[] = [];
    keys.scanHash(hash, (record) => {
      if ((records.flags(record) & KIND_MASK) === KIND_STRING) return;
      if (hashes.soonestMs(namespace, record) === timeMs) due.push(record);
    });
    for (const record of due) {
      const key = keyOf(records, record);
      const room = Math.min(left, stepsMax - fieldSteps);
      const seen =
        (records.flags(record) & KIND_MASK) === KIND_NESTED
          ? visitNested(namespace, tables, hashes, record, nowMs, room, (field) =>
              visit(key, field),
            )
          : visitPacked(hashes, record, nowMs, room, (field) => visit(key, field));
      left -= seen;
      fieldSteps += seen;
    }
    return left > 0 && fieldSteps < stepsMax;
  });
  return Math.max(steps, fieldSteps);
}

/** Visits up to `count` fields of a packed hash. */
function visitPacked(
  hashes: Hashes,
  record: number,
  nowMs: number,
  count: number,
  visit: (field: Buffer) => void,
): number {
  const packed = hashes.packed(record, new PackedFields());
  let visited = 0;
  while (visited < count && packed.next()) {
    if (packed.expireAtMs === 0 || packed.expireAtMs >= nowMs) continue;
    visited++;
    visit(nameOf(packed));
  }
  return visited;
}

/** Visits up to `count` fields of a nested hash. */
function visitNested(
  namespace: Namespace,
  tables: Tables,
  hashes: Hashes,
  record: number,
  nowMs: number,
  count: number,
  visit: (field: Buffer) => void,
): number {
  const nested = tables.nestedAt(record);
  if (nested === undefined || count === 0) return 0;
  const { records } = tables;
  let visited = 0;
  visitDue(hashes.times(namespace, record), nowMs, count, (timeMs, hash) => {
    nested.scanHash(hash, (field) => {
      if (visited === count || records.expireAtMs(field) !== timeMs) return;
      visited++;
      visit(keyOf(records, field));
    });
    return visited < count;
  });
  return visited;
}

/** Visits each hash and time that is due once, up to `stepsMax`, until `visit` says false. */
function visitDue(
  index: ExpiryIndex,
  nowMs: number,
  stepsMax: number,
  visit: (timeMs: number, hash: number) => boolean,
): number {
  let steps = 0;
  let lastMs = 0;
  let lastHash = 0;
  if (stepsMax === 0) return 0;
  index.visitBefore(nowMs, (timeMs, hash) => {
    steps++;
    const again = timeMs === lastMs && hash === lastHash;
    lastMs = timeMs;
    lastHash = hash;
    return (again || visit(timeMs, hash)) && steps < stepsMax;
  });
  return steps;
}
