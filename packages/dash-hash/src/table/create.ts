/** Making tables: a header, and a first segment of four buckets. */

import { DashError } from '../errors.js';
import {
  CLASS_MASK,
  OWN_DIRECTORY_UNITS,
  SPACE,
  SPACE_ROOTS_MAX,
  TABLE,
  TABLE_BYTES,
  TABLE_LIVE,
  TABLE_WORDS,
} from '../format.js';
import type { Space } from '../space/space.js';
import { offsetOf, windowAt, wordOf } from '../space/words.js';
import { emptySegment, segmentBytes } from './segment-builder.js';

/** The class of the first segment: its address alone is its entry. */
export const FIRST_CLASS = 0;
/** Word, in a header, of the entry of its own directory. */
export const OWN_ENTRY = TABLE.ownDirectory + 1;

/** The two words of a hash's key. */
export type Seed = readonly [number, number];

/** Makes an empty table; its address. `root`: a slot that names it from the same moment on. */
export function createTable(space: Space, seed: Seed, tag: number, root?: number): number {
  const unit = space.slabs.take();
  try {
    fillHeader(space, unit, seed, tag);
  } catch (error) {
    space.slabs.give(unit);
    throw error;
  }
  space.region.publish(0, offsetOf(unit) + TABLE.dropping * 4, {
    words: [
      [offsetOf(unit) + TABLE.state * 4, TABLE_LIVE],
      ...(root === undefined ? [] : [[rootOffset(space, root), unit] as const]),
    ],
  });
  return unit;
}

/** Address of the table in a root slot, or 0. Throws `DASH_BAD_OPTION`. */
export function tableAtRoot(space: Space, root: number): number {
  rootOffset(space, root);
  return space.word(SPACE.roots + root);
}

function rootOffset(space: Space, root: number): number {
  if (Number.isInteger(root) && root >= 0 && root < SPACE_ROOTS_MAX) {
    return space.offsetOfWord(SPACE.roots + root);
  }
  throw new DashError(
    'DASH_BAD_OPTION',
    `expected a root from 0 to ${SPACE_ROOTS_MAX - 1}, got ${root}: nest further tables in this one`,
  );
}

/** Frees the segment of a free header: a crash came between making it and making the table. */
export function freeLeftSegment(space: Space, unit: number): void {
  const left = windowAt(space.windows, unit).u32[wordOf(unit) + OWN_ENTRY] & ~CLASS_MASK;
  if (left === 0) return;
  const from = offsetOf(unit) + OWN_ENTRY * 4;
  space.region.free(offsetOf(left), segmentBytes(FIRST_CLASS), { from });
}

/** Everything of a header but its state, with a first segment. */
function fillHeader(space: Space, unit: number, seed: Seed, tag: number): void {
  const window = windowAt(space.windows, unit);
  const word = wordOf(unit);
  const entryOffset = offsetOf(unit) + OWN_ENTRY * 4;
  freeLeftSegment(space, unit);
  const segment = space.alloc(segmentBytes(FIRST_CLASS), entryOffset);
  emptySegment(space, segment, FIRST_CLASS, 0);
  for (let i = TABLE.directory; i < TABLE_WORDS; i++) {
    if (i !== OWN_ENTRY) window.store32(word + i, 0);
  }
  window.store32(word + TABLE.directory, unit + OWN_DIRECTORY_UNITS);
  window.store32(word + TABLE.seed0, seed[0]);
  window.store32(word + TABLE.seed1, seed[1]);
  window.store32(word + TABLE.tag, tag);
  window.store32(word + TABLE.recovered, space.crashes);
  window.store32(word + TABLE.counting, space.crashes);
  window.store32(word + TABLE.tableUnits, (segmentBytes(FIRST_CLASS) + TABLE_BYTES) / 8);
  space.region.persist(offsetOf(unit), TABLE_BYTES);
}
