/**
 * Admission: room for what is going to be set, found before any of it is (R7).
 *
 * Records: chunks are set aside (`RecordLog.reserve`). Segments: the keys are not known yet, so
 * blocks for more growth than they can cause are asked for and given back; nothing else allocates in
 * between. The blocks are as large as the deepest table needs them. One entry grows at most one segment, into two, and the directory once. Of many entries
 * some 1 in 150 grows one; the reserve is for 1 in 16.
 */
import { CLASS_LAST, SPLIT_CLASS } from '../format.js';
import { DEPTH_MAX, RESERVE_ENTRIES_EACH, RESERVE_GROWTH_PART } from '../limits.js';
import { RECORD_OVERHEAD_UNITS_MAX } from '../log/record.js';
import { offsetOf } from '../space/words.js';
import type { TableCore } from './core.js';
import { directoryBytes } from './grow.js';
import { segmentBytes } from './segment-builder.js';

export function reserveRoom(core: TableCore, entries: number, bytes: number): void {
  const { space } = core;
  const { log, region } = space;
  const plain = entries * RECORD_OVERHEAD_UNITS_MAX + Math.ceil(bytes / 8);
  const pieces = Math.ceil(bytes / log.reader.pieceBytes) * (RECORD_OVERHEAD_UNITS_MAX + 1);
  log.reserve(plain + pieces);
  const growths =
    Math.min(entries, RESERVE_ENTRIES_EACH) + Math.ceil(entries * RESERVE_GROWTH_PART);
  // The entries may be another table's: one that this one names.
  const depth = space.deepest;
  if (space.hasReserved(growths, depth)) return;
  const blocks: [offset: number, bytes: number][] = [];
  const take = (size: number) => blocks.push([offsetOf(space.alloc(size)), size]);
  try {
    if (depth < DEPTH_MAX) take(directoryBytes(depth + 1));
    for (let i = 0; i < growths; i++) {
      take(segmentBytes(CLASS_LAST));
      take(segmentBytes(SPLIT_CLASS));
    }
    space.setReserved(growths, depth);
  } finally {
    for (const [offset, size] of blocks) region.free(offset, size);
  }
}
