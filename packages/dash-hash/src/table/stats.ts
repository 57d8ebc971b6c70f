/** What a table, and all tables of a region, take. Bytes, unless a name says otherwise. */
import { BUCKET_SLOTS, CLASS_BUCKETS, CLASS_MASK, TABLE } from '../format.js';
import type { Space } from '../space/space.js';
import type { TableCore } from './core.js';
import { segmentEnd } from './repair.js';

export interface TableStats {
  entries: number;
  /** Bytes of current records, headers and rounding included. */
  recordBytes: number;
  /** Bytes of header, directory and segments. */
  tableBytes: number;
  segments: number;
  slots: number;
  /** Entries to a slot. */
  loadFactor: number;
  /** Bits of the hash that choose a segment. */
  depth: number;
  /** Whether a crash left parts to be looked at; the counts grow until they are. */
  recovering: boolean;
}

export interface SpaceStats {
  chunkBytes: number;
  chunks: number;
  /** Bytes of records that some table names. */
  liveBytes: number;
  /** Bytes of records that none names: waiting for compaction, and for images. */
  garbageBytes: number;
  /** Bytes that wait for readers in other threads. */
  retiredBytes: number;
  chunksEmptied: number;
  movedBytes: number;
  /** Opens after a crash, and 1. */
  crashes: number;
  /** Number of images begun, and 1. */
  generation: number;
}

export function tableStats(core: TableCore): TableStats {
  let segments = 0;
  let slots = 0;
  for (let index = 0; index < 2 ** core.depth; index = segmentEnd(core, index)) {
    core.locateEntry(index);
    segments++;
    slots += CLASS_BUCKETS[core.entry & CLASS_MASK] * BUCKET_SLOTS;
  }
  const entries = core.headerWord(TABLE.count);
  return {
    entries,
    recordBytes: core.headerWord(TABLE.liveUnits) * 8,
    tableBytes: core.headerWord(TABLE.tableUnits) * 8,
    segments,
    slots,
    loadFactor: entries / slots,
    depth: core.depth,
    recovering: core.lazy,
  };
}

export function spaceStats(space: Space): SpaceStats {
  const { log } = space;
  const garbageBytes = log.deadUnits * 8;
  return {
    chunkBytes: log.chunkUnits * 8,
    chunks: log.chunks,
    liveBytes: log.filledUnits * 8 - garbageBytes,
    garbageBytes,
    retiredBytes: space.epochs.stats.retiredBytes,
    chunksEmptied: log.compactor.chunksEmptied,
    movedBytes: log.compactor.unitsMoved * 8,
    crashes: space.crashes,
    generation: space.generation,
  };
}
