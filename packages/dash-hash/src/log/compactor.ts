/**
 * Gives the space of dead records back: the live records of a chunk are copied to the open one,
 * slots are pointed at the copies, and the chunk is retired under epochs.
 *
 *     victim    [ live | dead | dead | live | ... ]      a bounded part with every write
 *                  └────────────┐          │
 *     open      [ ... | record | copy | copy | ...
 *
 * Invariants
 *  1. A record moves only while a slot (of a piece: a current record) names it; the one store that
 *     replaces its address is what moves it.
 *  2. While an image is being read nothing moves: it has the records' addresses.
 *  3. What no table knows is dead, whatever its mark says: a crash may have come before the mark.
 *
 * Concurrency: the writer's thread. Readers see the old address or the new one; both are readable
 * until they leave their guards.
 */
import { CHUNK, CHUNK_HEADER_UNITS, HEAD, RECORD, SPACE, TABLE } from '../format.js';
import {
  CHUNK_GARBAGE_PART_MIN,
  GARBAGE_CHUNKS_MIN,
  GARBAGE_PART_MAX,
  VICTIMS_SEEN_MAX,
} from '../limits.js';
import type { Space } from '../space/space.js';
import { windowAt, wordOf } from '../space/words.js';
import type { TableCore } from '../table/core.js';
import { replaceSlot } from '../table/slots.js';
import { pieceHash, pieceNumber, pieceWordOffset } from './pieces.js';
import type { RecordLog } from './record-log.js';

export class Compactor {
  /** Whether records are being moved at this moment. */
  moving = false;
  readonly #space: Space;
  readonly #log: RecordLog;
  #victim = 0;
  /** The next record of the victim. */
  #at = 0;
  /** Blocks given back, and units asked for, when there was no room for a copy. */
  #stuckAt = -1;
  #stuckUnits = 0;
  /** Where the search for victims goes on. */
  #searchAt = 0;
  /** Dead units at which `consider` is worth the next call. */
  considerAt = 0;
  /** Chunks emptied since the open. */
  chunksEmptied = 0;
  /** Units copied since the open. */
  unitsMoved = 0;

  constructor(space: Space, log: RecordLog) {
    this.#space = space;
    this.#log = log;
  }

  /** Whether there is a chunk to go on with. */
  get busy(): boolean {
    return this.#victim !== 0;
  }

  /** Whether going on waits for space: until a block was given back, or the open chunk has room. */
  get stuck(): boolean {
    return this.#stuckAt === this.#space.reclaimedBlocks && this.#stuckUnits > this.#log.openUnits;
  }

  /** Chooses a chunk to empty if there is too much garbage. */
  consider(): void {
    if (this.#victim !== 0 || this.#space.imaging !== undefined) return;
    const { deadUnits, filledUnits, unitsPerChunk } = this.#log;
    this.considerAt = deadUnits + unitsPerChunk;
    if (deadUnits < unitsPerChunk * GARBAGE_CHUNKS_MIN) return;
    if (deadUnits < filledUnits * GARBAGE_PART_MAX) return;
    this.#choose(unitsPerChunk * CHUNK_GARBAGE_PART_MIN);
  }

  /**
   * Looks at about `units` units of the victim. Lack of space stops it where it is: the next call
   * goes on there.
   */
  step(units: number): void {
    if (this.#victim === 0 || this.#space.imaging !== undefined || this.moving) return;
    if (this.stuck) return;
    this.moving = true;
    try {
      this.#empty(this.#at + units);
    } finally {
      this.moving = false;
    }
    if (this.#victim === 0) this.consider();
  }

  /** Empties one chunk at once, whichever gives most back. Whether there was one. */
  squeeze(): boolean {
    if (this.#space.imaging !== undefined || this.moving) return false;
    if (this.#victim === 0) this.#choose(this.#log.unitsPerChunk * CHUNK_GARBAGE_PART_MIN);
    if (this.#victim === 0) return false;
    this.moving = true;
    try {
      return this.#empty(Number.POSITIVE_INFINITY);
    } finally {
      this.moving = false;
    }
  }

  /** Copies live records up to `end`; whether the victim was emptied. */
  #empty(end: number): boolean {
    const log = this.#log;
    const filled = this.#victim + log.filledEnd(this.#victim);
    while (this.#at < filled && this.#at < end) {
      const units = log.reader.units(this.#at);
      if ((log.reader.head(this.#at) & HEAD.dead) === 0 && !this.#move(this.#at, units))
        return false;
      this.#at += units;
    }
    if (this.#at < filled) return false;
    const victim = this.#victim;
    this.#victim = 0;
    this.chunksEmptied++;
    log.unlink(victim);
    return true;
  }

  /** Moves one record, or finds that it is dead; `false` where there is no room for it. */
  #move(at: number, units: number): boolean {
    const log = this.#log;
    const { windows } = this.#space;
    const head = log.reader.head(at);
    const owner = this.#namedBy(at, (head & HEAD.piece) !== 0);
    if (owner === undefined) {
      log.kill(at, true);
      return true;
    }
    if (!log.hasRoom(units)) {
      this.#stuckAt = this.#space.reclaimedBlocks;
      this.#stuckUnits = units;
      return false;
    }
    const copy = log.place(units);
    const from = wordOf(at) << 2;
    const target = windowAt(windows, copy);
    const to = wordOf(copy) << 2;
    windowAt(windows, at).copyWithin(target, to + 4, from + 4, from + units * 8);
    target.store32(to >>> 2, head);
    log.persist(copy, units * 8);
    if ((head & HEAD.piece) === 0) replaceSlot(owner, copy);
    else this.#renamePiece(owner.record, pieceNumber(log, at), copy);
    log.kill(at, true);
    this.unitsMoved += units;
    return true;
  }

  /** The table that names the record, with its slot found; `undefined` where none does. */
  #namedBy(at: number, piece: boolean): TableCore | undefined {
    const log = this.#log;
    const core = this.#space.mover;
    const table = windowAt(this.#space.windows, at).u32[wordOf(at) + RECORD.table];
    const names = () =>
      piece
        ? core.findPieceOwner(pieceHash(log, at), at, pieceNumber(log, at))
        : core.findRecord(at);
    if (core.tryBind(table) && names()) return core;
    // Its contents may have gone to another header, to be freed.
    for (let other = this.#space.word(SPACE.firstDropped); other !== 0; ) {
      if (!core.tryBind(other)) break;
      const next = core.headerWord(TABLE.nextDropped);
      if (core.headerWord(TABLE.origin) === table && names()) return core;
      other = next;
    }
    return undefined;
  }

  #renamePiece(record: number, number: number, copy: number): void {
    const { windows, region, flushes } = this.#space;
    const word = this.#log.reader.pieceWord(record, number);
    windowAt(windows, record).commit32(word, copy);
    if (flushes) region.persist(pieceWordOffset(this.#log, record, number), 4);
  }

  /** Takes the chunk with the most garbage of some, if it has at least `unitsMin` of it. */
  #choose(unitsMin: number): void {
    const log = this.#log;
    let best = 0;
    let most = unitsMin;
    let at = this.#searchAt !== 0 && log.isChunk(this.#searchAt) ? this.#searchAt : 0;
    const seenMax = Math.min(VICTIMS_SEEN_MAX, log.chunks);
    for (let seen = 0; seen < seenMax; seen++) {
      if (at === 0) at = this.#space.word(SPACE.firstChunk);
      if (at !== log.openChunk) {
        const garbage = log.chunkWord(at, CHUNK.deadUnits);
        if (garbage >= most) {
          best = at;
          most = garbage + 1;
        }
      }
      at = log.chunkWord(at, CHUNK.next);
    }
    this.#searchAt = at;
    this.#victim = best;
    this.#at = best + CHUNK_HEADER_UNITS;
  }
}
