/**
 * Growth: a full segment goes to the next class, or splits into two; the directory doubles where a
 * split needs another bit.
 *
 *     32 ─▶ 45 ─▶ 64 buckets ─▶ split: 32 + 32        each step at most 1.42
 *
 * Invariants
 *  1. New segments are complete and durable before an entry names them; the old one stays as it was
 *     until no reader can see it. A search is therefore right in whichever it ends up.
 *  2. Space is found before anything changes: `PMEM_EXHAUSTED` leaves the table as it was.
 *  3. Where the region outlives its process, what changes is written down first (`space/intent.ts`).
 */
import { DashError } from '../errors.js';
import {
  CLASS_LAST,
  CLASS_MASK,
  DIRECTORY,
  ENTRY_ADDRESS_MASK,
  SPLIT_CLASS,
  TABLE,
} from '../format.js';
import { DEPTH_MAX } from '../limits.js';
import { offsetOf, windowAt, wordOf } from '../space/words.js';
import type { TableCore } from './core.js';
import { segmentDepth } from './repair.js';
import {
  ANY_SIDE,
  beginSegment,
  copyEntries,
  copyPlaces,
  finishSegment,
  segmentBytes,
} from './segment-builder.js';

/** A segment that was built: the entry that names it. */
type Built = number;

/**
 * Makes room in the segment of the key searched last, and locates the key anew. Throws
 * `PMEM_EXHAUSTED` and `DASH_TOO_DEEP`.
 */
export function grow(core: TableCore): void {
  const { hash, space } = core;
  if (space.imaging !== undefined) space.imaging.passSegment(core);
  const depth = segmentDepth(core);
  const classNumber = core.entry & CLASS_MASK;
  if (classNumber === CLASS_LAST || !enlarge(core, classNumber, depth)) split(core, depth);
  core.locate(hash);
}

/** Bytes of a directory of a depth. */
export function directoryBytes(depth: number): number {
  return (DIRECTORY.entries + 2 ** depth) * 4;
}

/** Replaces the segment by one of a higher class; `false` where none would hold it. */
function enlarge(core: TableCore, classNumber: number, depth: number): boolean {
  for (let next = classNumber + 1; next <= CLASS_LAST; next++) {
    const built = build(core, next, depth, ANY_SIDE, 0);
    if (built === 0) continue;
    replaceSegment(core, depth, built, built);
    return true;
  }
  return false;
}

function split(core: TableCore, depth: number): void {
  if (depth === DEPTH_MAX) tooDeep(core, depth);
  if (depth === core.depth) doubleDirectory(core);
  const low = buildHalf(core, depth + 1, 0);
  let high: Built;
  try {
    high = buildHalf(core, depth + 1, 1);
  } catch (error) {
    core.space.intent.giveBack(0, low & ENTRY_ADDRESS_MASK, segmentBytes(low & CLASS_MASK));
    throw error;
  }
  replaceSegment(core, depth, low, high);
}

function buildHalf(core: TableCore, depth: number, side: number): Built {
  for (let next = SPLIT_CLASS; next <= CLASS_LAST; next++) {
    const built = build(core, next, depth, side, side);
    if (built !== 0) return built;
  }
  return tooDeep(core, depth);
}

/** Builds a segment of what belongs to `side`; 0 where it does not fit the class. */
function build(
  core: TableCore,
  classNumber: number,
  depth: number,
  side: number,
  block: number,
): Built {
  const { space, entry } = core;
  const unit = space.intent.alloc(block, segmentBytes(classNumber));
  beginSegment();
  let fits = copyEntries(space, entry, unit, classNumber, depth, side);
  if (!fits && side !== ANY_SIDE && classNumber === (entry & CLASS_MASK)) {
    beginSegment();
    copyPlaces(space, entry, unit, depth, side);
    fits = true;
  }
  if (fits) {
    finishSegment(space, unit, classNumber, depth);
    return unit | classNumber;
  }
  space.intent.giveBack(block, unit, segmentBytes(classNumber));
  return 0;
}

/** Lets the directory's entries of the located segment name its successors. */
function replaceSegment(core: TableCore, depth: number, low: Built, high: Built): void {
  const { entry, space } = core;
  const count = 2 ** (core.depth - depth);
  const index = Math.floor(((core.hash >>> 1) >>> core.shift) / count) * count;
  const directory = core.directory;
  const first = core.entries - wordOf(directory) + index;
  const old = entry & ENTRY_ADDRESS_MASK;
  const oldBytes = segmentBytes(entry & CLASS_MASK);
  space.intent.replace(directory, first, count, low, high, old);
  space.retire(old, oldBytes);
  let bytes = segmentBytes(low & CLASS_MASK) - oldBytes;
  if (high !== low) bytes += segmentBytes(high & CLASS_MASK);
  countBytes(core, bytes);
}

function doubleDirectory(core: TableCore): void {
  const { space, depth } = core;
  const bytes = directoryBytes(depth + 1);
  const unit = space.intent.alloc(0, bytes);
  const window = windowAt(space.windows, unit);
  const word = wordOf(unit);
  window.store32(word + DIRECTORY.depth, depth + 1);
  const { i32 } = core.directoryWindow;
  for (let index = 0; index < 2 ** depth; index++) {
    const entry = i32[core.entries + index];
    window.store32(word + DIRECTORY.entries + index * 2, entry);
    window.store32(word + DIRECTORY.entries + index * 2 + 1, entry);
  }
  space.region.persist(offsetOf(unit), bytes);
  const old = core.directory;
  const oldBytes = core.hasOwnDirectory ? 0 : directoryBytes(depth);
  space.intent.replace(core.unit, TABLE.directory, 1, unit, unit, oldBytes === 0 ? 0 : old);
  if (oldBytes > 0) space.retire(old, oldBytes);
  countBytes(core, bytes - oldBytes);
  core.locate(core.hash);
}

function countBytes(core: TableCore, bytes: number): void {
  core.setHeaderWord(TABLE.tableUnits, core.headerWord(TABLE.tableUnits) + Math.ceil(bytes / 8));
}

function tooDeep(core: TableCore, depth: number): never {
  throw new DashError(
    'DASH_TOO_DEEP',
    `expected hashes that differ in their first ${depth} bits, got a segment full of equal ones in the table at ${core.unit}: its seed is known to whoever chose the keys, make a new table`,
  );
}
