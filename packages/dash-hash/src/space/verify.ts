/**
 * Checks what the tables of a region share: every chunk, slab and table header, and that the region
 * has handed out no block that none of them names. Reads only.
 */
import {
  CHUNK,
  CHUNK_HEADER_UNITS,
  CLASS_MASK,
  HEAD,
  OWN_DIRECTORY_UNITS,
  SPACE,
  TABLE,
  TABLE_DROPPED,
  TABLE_FREE,
  TABLE_LIVE,
} from '../format.js';
import { FINDINGS_MAX } from '../limits.js';
import { TableCore } from '../table/core.js';
import { OWN_ENTRY } from '../table/create.js';
import { segmentEnd } from '../table/repair.js';
import { TABLES_PER_SLAB } from './slabs.js';
import type { Space } from './space.js';
import { offsetOf, windowAt, wordOf } from './words.js';

export interface SpaceVerdict {
  ok: boolean;
  /** What is wrong, at most 32 findings. */
  problems: string[];
  tables: number;
  droppedTables: number;
  chunks: number;
  /** Blocks of the region that the tables own. */
  blocks: number;
}

export function verifySpace(space: Space): SpaceVerdict {
  return new SpaceVerifier(space).run();
}

class SpaceVerifier {
  readonly #space: Space;
  readonly #core: TableCore;
  readonly #problems: string[] = [];
  #blocks = 1;
  #tables = 0;
  #dropped = 0;
  #chunks = 0;

  constructor(space: Space) {
    this.#space = space;
    this.#core = new TableCore(space);
  }

  run(): SpaceVerdict {
    this.#verifyChunks();
    const { slabs } = this.#space;
    for (let slab = slabs.first; slab !== 0; slab = slabs.next(slab)) {
      this.#own(slab, 'slab');
      for (let number = 0; number < TABLES_PER_SLAB; number++) {
        this.#verifyHeader(slabs.header(slab, number));
      }
    }
    this.#verifyDropped();
    const { ownedBlocks, problems } = this.#space.region.verify();
    for (const problem of problems) this.#report(problem);
    if (ownedBlocks !== this.#blocks) {
      this.#report(`the region has ${ownedBlocks} owned blocks, the tables name ${this.#blocks}`);
    }
    return {
      ok: this.#problems.length === 0,
      problems: this.#problems,
      tables: this.#tables,
      droppedTables: this.#dropped,
      chunks: this.#chunks,
      blocks: this.#blocks,
    };
  }

  #verifyChunks(): void {
    const { log } = this.#space;
    let previous = 0;
    let filled = 0;
    for (let at = this.#space.word(SPACE.firstChunk); at !== 0; ) {
      this.#own(at, 'chunk');
      this.#chunks++;
      if (!log.isChunk(at)) this.#report(`chunk ${at} is not known to the log`);
      if (log.chunkWord(at, CHUNK.previous) !== previous) {
        this.#report(`chunk ${at} follows ${log.chunkWord(at, CHUNK.previous)}, not ${previous}`);
      }
      filled += log.filledEnd(at) - CHUNK_HEADER_UNITS;
      this.#verifyRecords(at);
      previous = at;
      at = log.chunkWord(at, CHUNK.next);
    }
    if (filled !== log.filledUnits) {
      this.#report(`chunks hold ${filled} units, the log counts ${log.filledUnits}`);
    }
  }

  #verifyRecords(chunk: number): void {
    const { log } = this.#space;
    const end = chunk + log.filledEnd(chunk);
    let dead = 0;
    let at = chunk + CHUNK_HEADER_UNITS;
    while (at < end) {
      const head = log.reader.head(at);
      if ((head & HEAD.present) === 0) {
        this.#report(`chunk ${chunk} has no record at ${at}, although it is filled to ${end}`);
        return;
      }
      const units = log.reader.units(at);
      if ((head & HEAD.dead) !== 0) dead += units;
      at += units;
    }
    if (at !== end) this.#report(`the last record of chunk ${chunk} ends at ${at}, not at ${end}`);
    const counted = log.chunkWord(chunk, CHUNK.deadUnits);
    // After a crash both are hints: marks and counts are written back apart from each other.
    if (counted !== dead && this.#space.crashes === 1) {
      this.#report(`chunk ${chunk} counts ${counted} dead units, its records ${dead}`);
    }
  }

  #verifyHeader(unit: number): void {
    const core = this.#core;
    const window = windowAt(this.#space.windows, unit);
    const state = window.i32[wordOf(unit) + TABLE.state];
    if (state === TABLE_FREE) {
      const left = window.i32[wordOf(unit) + OWN_ENTRY] & ~CLASS_MASK;
      if (left !== 0) this.#own(left, 'segment of a table that was never made');
      return;
    }
    if (state !== TABLE_LIVE && state !== TABLE_DROPPED) {
      this.#report(`table ${unit} has state ${state}`);
      return;
    }
    if (state === TABLE_LIVE) this.#tables++;
    core.tryBind(unit);
    const directory = state === TABLE_LIVE ? core.directory : core.headerWord(TABLE.dropping) | 0;
    if (directory !== ((unit + OWN_DIRECTORY_UNITS) | 0)) this.#own(directory, 'directory');
    for (let index = 0; index < 2 ** core.depth; ) {
      core.locateEntry(index);
      if (core.entry === 0) {
        if (state === TABLE_LIVE) this.#report(`entry ${index} of table ${unit} is empty`);
        index++;
        continue;
      }
      this.#own(core.entry & ~CLASS_MASK, 'segment');
      index = segmentEnd(core, index);
    }
  }

  #verifyDropped(): void {
    const core = this.#core;
    for (let unit = this.#space.word(SPACE.firstDropped); unit !== 0; ) {
      if (!core.tryBind(unit) || core.state !== TABLE_DROPPED) {
        this.#report(`table ${unit} is in the list of dropped ones with state ${core.state}`);
        return;
      }
      this.#dropped++;
      unit = core.headerWord(TABLE.nextDropped);
    }
  }

  #own(unit: number, what: string): void {
    this.#blocks++;
    try {
      this.#space.region.sizeOf(offsetOf(unit));
    } catch {
      this.#report(`${what} ${unit} is no block of the region`);
    }
  }

  #report(problem: string): void {
    if (this.#problems.length < FINDINGS_MAX) this.#problems.push(problem);
  }
}
