/**
 * Walks over keys, or over the fields of one key, as SCAN, RANDOMKEY and their like want it.
 *
 *     prefix  place u16  name        prefix: the namespace, or what the fields of a key begin with
 *
 * Entries lie by place, which spreads them evenly: a number from 0 to below 1 is a place to begin at.
 */
import type { Lsm, LsmCursor } from '@nendb/lsm';
import { SAMPLE_WALK_ENTRIES, SAMPLE_WINDOW_ENTRIES } from '../../limits.js';
import type { Positions } from './positions.js';
import { behindPrefix } from './tree-keys.js';

const PLACE_BYTES = 2;

/** What is walked over. */
export interface Ground {
  prefix: Buffer;
  /** Places are 0 to below this. */
  places: number;
}

/** `key` and `value` are borrowed until it returns. */
export type EntryVisitor = (key: Buffer, value: Uint8Array) => void;

/** Visits about `count` entries from `position` on; returns the next position, 0 at the end. */
export function scanGround(
  tree: Lsm,
  ground: Ground,
  positions: Positions,
  position: number,
  count: number,
  visit: EntryVisitor,
): number {
  const place = positions.placeOf(position);
  if (place >= ground.places) return 0;
  const begin = at(ground, place);
  const cursor = tree.cursor({ gte: positions.keyOf(position, begin) ?? begin, lt: end(ground) });
  try {
    let last = -1;
    for (let visited = 0; cursor.next(); visited++) {
      const key = asBuffer(cursor.keyView);
      const here = key.readUInt16BE(ground.prefix.length);
      if (visited >= Math.max(count, 1)) {
        return here === last
          ? positions.within(here, asBuffer(cursor.key))
          : positions.before(here);
      }
      last = here;
      visit(key, cursor.valueView);
    }
    return 0;
  } finally {
    cursor.close();
  }
}

/**
 * Visits the entry that `random` falls on, of `total` in all. Of few, exactly; of many, one of those behind the place
 * that it falls on.
 */
export function sampleGround(
  tree: Lsm,
  ground: Ground,
  total: number,
  random: number,
  visit: EntryVisitor,
): boolean {
  if (total === 0) return false;
  if (total <= SAMPLE_WALK_ENTRIES) {
    return visitNth(tree, ground, at(ground, 0), Math.floor(random * total), visit);
  }
  const exact = random * ground.places;
  const place = Math.floor(exact);
  const nth = Math.floor((exact - place) * SAMPLE_WINDOW_ENTRIES);
  return visitNth(tree, ground, at(ground, place), nth, visit);
}

/** Visits the entry `nth` behind `from`, going round at the end. */
function visitNth(
  tree: Lsm,
  ground: Ground,
  from: Buffer,
  nth: number,
  visit: EntryVisitor,
): boolean {
  const cursor = tree.cursor({ gte: from, lt: end(ground) });
  let left = nth;
  try {
    while (cursor.next()) if (left-- === 0) return show(cursor, visit);
  } finally {
    cursor.close();
  }
  const again = tree.cursor({ gte: ground.prefix, lt: end(ground) });
  try {
    while (again.next()) if (left-- <= 0) return show(again, visit);
    return false;
  } finally {
    again.close();
  }
}

function show(cursor: LsmCursor, visit: EntryVisitor): true {
  visit(asBuffer(cursor.keyView), cursor.valueView);
  return true;
}

/** Where a place begins. */
function at({ prefix }: Ground, place: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + PLACE_BYTES);
  prefix.copy(key);
  key.writeUInt16BE(place, prefix.length);
  return key;
}

/** Behind the last place. */
function end(ground: Ground): Buffer {
  return behindPrefix(at(ground, ground.places - 1));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
