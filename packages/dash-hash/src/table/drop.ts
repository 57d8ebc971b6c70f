/**
 * Giving tables up: at once for whoever uses them, in bounded steps for their memory.
 *
 *     drop     live ─▶ dropped, first in the space's list; its directory word is 0
 *     clear    a second header takes the contents over and is dropped; the table is empty
 *     free     the first of the list: segment by segment, then directory and header
 *
 * Invariants
 *  1. Every step is one transaction or an intent: a crash leaves a list that can be gone on with.
 *  2. Records are marked dead before their segment goes; marking one twice counts it once.
 */
import {
  BUCKET,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_MASK,
  DIRECTORY,
  ENTRY_ADDRESS_MASK,
  OWN_DIRECTORY_UNITS,
  SLOTS_MASK,
  SPACE,
  SPACE_ROOTS_MAX,
  TABLE,
  TABLE_BYTES,
  TABLE_DROPPED,
  TABLE_FREE,
} from '../format.js';
import type { Space } from '../space/space.js';
import { offsetOf, windowAt, wordOf } from '../space/words.js';
import type { TableCore } from './core.js';
import { FIRST_CLASS, freeLeftSegment, OWN_ENTRY } from './create.js';
import { directoryBytes } from './grow.js';
import { segmentEnd } from './repair.js';
import { emptySegment, segmentBytes } from './segment-builder.js';

type Words = [offset: number, value: number][];

/** Takes the table away from its users. `free` gives its memory back. */
export function dropTable(core: TableCore): void {
  const { space, unit } = core;
  const header = offsetOf(unit);
  const words: Words = [
    [header + TABLE.dropping * 4, core.headerWord(TABLE.directory)],
    [header + TABLE.state * 4, TABLE_DROPPED],
    [header + TABLE.dropGeneration * 4, space.generation],
    [header + TABLE.nextDropped * 4, space.word(SPACE.firstDropped)],
    [space.offsetOfWord(SPACE.firstDropped), unit],
  ];
  for (let root = 0; root < SPACE_ROOTS_MAX; root++) {
    if (space.word(SPACE.roots + root) !== unit) continue;
    words.push([space.offsetOfWord(SPACE.roots + root), 0]);
    break;
  }
  space.region.publish(0, header + TABLE.directory * 4, { words });
}

/** Empties the table in one step; another header has the contents then, dropped. */
export function clearTable(core: TableCore): void {
  const { space, unit } = core;
  const other = space.slabs.take();
  let segment: number;
  try {
    segment = space.alloc(segmentBytes(FIRST_CLASS));
  } catch (error) {
    space.slabs.give(other);
    throw error;
  }
  emptySegment(space, segment, FIRST_CLASS, 0);
  const own = core.hasOwnDirectory;
  const target = windowAt(space.windows, other);
  const word = wordOf(other);
  // The entry of a free header names a segment of its own: this one gets it with its state.
  freeLeftSegment(space, other);
  for (let i = TABLE.directory; i < TABLE_BYTES / 4; i++) {
    if (i !== OWN_ENTRY) target.store32(word + i, core.headerWord(i));
  }
  target.store32(word + TABLE.directory, 0);
  target.store32(word + TABLE.dropping, own ? other + OWN_DIRECTORY_UNITS : core.directory);
  target.store32(word + TABLE.dropGeneration, space.generation);
  target.store32(word + TABLE.nextDropped, space.word(SPACE.firstDropped));
  target.store32(word + TABLE.origin, unit);
  space.region.persist(offsetOf(other), TABLE_BYTES);
  const header = offsetOf(unit);
  if (!own) {
    // A reader between two stores of the step below must not follow what the entry once named.
    core.headerWindow.commit32(core.header + OWN_ENTRY, 0);
    space.region.persist(header + OWN_ENTRY * 4, 4);
  }
  space.region.publish(offsetOf(segment), header + OWN_ENTRY * 4, {
    words: [
      [offsetOf(other) + TABLE.state * 4, TABLE_DROPPED],
      [offsetOf(other) + OWN_ENTRY * 4, own ? core.headerWord(OWN_ENTRY) : 0],
      [space.offsetOfWord(SPACE.firstDropped), other],
      [header + TABLE.directory * 4, unit + OWN_DIRECTORY_UNITS],
      [header + TABLE.count * 4, 0],
      [header + TABLE.liveUnits * 4, 0],
      [header + TABLE.tableUnits * 4, (segmentBytes(FIRST_CLASS) + TABLE_BYTES) / 8],
    ],
  });
  core.bind(unit);
}

/** Frees about `entriesMax` entries of the first dropped table; `false` when there is none left. */
export function freeDropped(space: Space, entriesMax: number): boolean {
  const core = space.mover;
  for (let done = 0; done < entriesMax; ) {
    const unit = space.word(SPACE.firstDropped);
    if (unit === 0) return false;
    core.tryBind(unit);
    const freed = freeNextSegment(core);
    if (freed === -1) finish(core);
    done += Math.max(1, freed);
  }
  return space.word(SPACE.firstDropped) !== 0;
}

/** Frees one segment; the entries it had, or -1 where the table has no segment left. */
function freeNextSegment(core: TableCore): number {
  const { space, directoryWindow } = core;
  const entries = 2 ** core.depth;
  let index = space.dropIndex(core.unit);
  while (index < entries && directoryWindow.i32[core.entries + index] === 0) index++;
  if (index >= entries) return -1;
  core.locateEntry(index);
  if (space.imaging !== undefined) space.imaging.passSegment(core);
  const freed = killRecords(core);
  const end = segmentEnd(core, index);
  const block = core.entry & ENTRY_ADDRESS_MASK;
  const bytes = segmentBytes(core.entry & CLASS_MASK);
  const directory = core.headerWord(TABLE.dropping);
  space.intent.replace(directory, DIRECTORY.entries + index, end - index, 0, 0, block);
  space.retire(block, bytes);
  space.setDropIndex(core.unit, end);
  return freed;
}

/** Marks every record of the located segment as dead; how many there were. */
export function killRecords(core: TableCore): number {
  const { i32 } = core.window;
  const buckets = CLASS_BUCKETS[core.entry & CLASS_MASK];
  let killed = 0;
  for (let number = 0; number < buckets; number++) {
    const bucket = core.segment + number * BUCKET_WORDS;
    let used = i32[bucket + BUCKET.bits] & SLOTS_MASK;
    for (; used !== 0; used &= used - 1) {
      const slot = 31 - Math.clz32(used & -used);
      core.space.log.kill(i32[bucket + BUCKET.slots + slot * 2]);
      killed++;
    }
  }
  return killed;
}

/** Frees the directory and the header of the first dropped table. */
function finish(core: TableCore): void {
  const { space, unit } = core;
  const directory = core.headerWord(TABLE.dropping);
  const own = directory === unit + OWN_DIRECTORY_UNITS;
  const bytes = directoryBytes(core.depth);
  space.region.publish(0, offsetOf(unit) + TABLE.dropping * 4, {
    withdraws: own ? undefined : offsetOf(directory),
    words: [
      [offsetOf(unit) + TABLE.state * 4, TABLE_FREE],
      [offsetOf(unit) + OWN_ENTRY * 4, 0],
      [space.offsetOfWord(SPACE.firstDropped), core.headerWord(TABLE.nextDropped)],
    ],
  });
  if (!own) {
    space.retire(directory, bytes);
  }
  space.setDropIndex(unit, 0);
  space.slabs.give(unit);
}
