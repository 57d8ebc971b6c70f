/**
 * What all hash tables of a region share: the log of records, the slabs of table headers, the image
 * generation, epochs. One object a region; tables and the log reach each other through it.
 *
 * Invariants
 *  1. The space's block is complete before the region's root names it.
 *  2. `crashes` has grown durably before anything is repaired.
 *  3. `clean` is 0 durably before the first change after an open.
 *
 * Concurrency: the thread that owns the region.
 */
import { Epochs, PmemError, type Region, type RegionWindow } from '@nendb/pmem';
import { DashError } from '../errors.js';
import {
  SPACE,
  SPACE_BYTES,
  SPACE_KNOWN_INCOMPAT,
  SPACE_KNOWN_READ_ONLY_COMPAT,
  SPACE_MAGIC,
  SPACE_ROOT,
  SPACE_VERSION,
} from '../format.js';
import { hash32 } from '../hash.js';
import { DashImage } from '../image/image.js';
import {
  CHUNK_BYTES_DEFAULT_MIN,
  CHUNK_BYTES_MAX,
  CHUNK_BYTES_MIN,
  CHUNKS_PER_REGION_MIN,
  COMPACT_UNITS_MIN,
  COMPACT_UNITS_PER_UNIT,
  RECLAIM_BLOCKS_MAX,
} from '../limits.js';
import type { Windows } from '../log/record.js';
import { RecordLog } from '../log/record-log.js';
import { TableCore } from '../table/core.js';
import type { Seed } from '../table/create.js';
import { Intent } from './intent.js';
import { Slabs } from './slabs.js';
import { offsetOf, windowAt, wordOf } from './words.js';

export interface SpaceOptions {
  /** Bytes of a chunk of records: a power of two from 2 KiB to 1 MiB. Fixed when the space is made. */
  chunkBytes?: number;
}

const spaces = new WeakMap<Region, Space>();

export class Space {
  readonly region: Region;
  readonly windows: Windows;
  readonly flushes: boolean;
  /** Whether the region's contents outlive the process: steps must then be safe to cut off. */
  readonly outlives: boolean;
  /** Whether anybody may see a state between two stores: other threads, or the next process. */
  watched: boolean;
  readonly window: RegionWindow;
  /** Word of the space's block in its window. */
  readonly at: number;
  readonly crashes: number;
  readonly log: RecordLog;
  readonly epochs: Epochs;
  readonly intent: Intent;
  readonly slabs: Slabs;
  /** A core for those who look at one table after the other: compaction, images, freeing. */
  readonly mover: TableCore;
  /** The image being read. */
  imaging: DashImage | undefined;
  generation: number;
  /** The depth of the deepest directory that was looked at. */
  deepest = 0;
  readonly #unit: number;
  /** Blocks retired and not yet given back. */
  #retired = 0;
  /** The table that is being freed, and where in its directory. */
  #dropping = 0;
  #dropIndex = 0;
  #seeds = 0;
  /** What `reserve` last found room for, and how many blocks had been handed out by then. */
  #reserved = { growths: 0, depth: 0, allocations: -1 };
  #allocations = 0;
  /** Blocks that were retired and have been given back since the open. */
  reclaimedBlocks = 0;
  /** What `usedBytes` found last, and after how many changes. */
  #used = { changes: -1, bytes: 0 };
  #closed = false;

  /** The space of a region; made where there is none. */
  static of(region: Region, options: SpaceOptions = {}): Space {
    let space = spaces.get(region);
    if (space === undefined || space.#closed) {
      space = new Space(region, options);
      spaces.set(region, space);
    }
    return space;
  }

  private constructor(region: Region, options: SpaceOptions) {
    this.region = region;
    this.windows = region.windows;
    this.flushes = region.flushes;
    this.outlives = region.caps.durable !== 'none';
    this.watched = this.outlives;
    const made = region.root(SPACE_ROOT) === 0;
    if (made) create(region, chunkUnitsFor(region, options.chunkBytes));
    this.#unit = region.root(SPACE_ROOT) / 8;
    this.window = windowAt(this.windows, this.#unit);
    this.at = wordOf(this.#unit);
    this.#check();
    this.epochs = Epochs.create(region);
    this.intent = new Intent(this);
    // Words that only a crash makes inexact are not flushed: there, every open is one after a crash.
    const crashed = !made && (region.flushes || this.word(SPACE.clean) === 0);
    if (crashed) this.#setDurably(SPACE.crashes, this.word(SPACE.crashes) + 1);
    this.#setDurably(SPACE.clean, 0);
    this.crashes = this.word(SPACE.crashes);
    this.generation = this.word(SPACE.generation);
    this.intent.recover();
    this.slabs = new Slabs(this);
    this.log = new RecordLog(this, this.word(SPACE.chunkUnits));
    this.log.load(crashed);
    this.mover = new TableCore(this);
    region.setImager(() => new DashImage(this));
  }

  /** A word of the space's block, unsigned. */
  word(word: number): number {
    return this.window.u32[this.at + word];
  }

  /** Byte offset of a word of the space's block, for the region. */
  offsetOfWord(word: number): number {
    return offsetOf(this.#unit) + word * 4;
  }

  /**
   * A block of `bytes` bytes; `into` is as of the region's `alloc`. What is garbage is given back
   * first if need be. Throws `PMEM_EXHAUSTED`.
   */
  alloc(bytes: number, into?: number): number {
    this.#allocations++;
    const options = into === undefined ? {} : { into };
    for (;;) {
      try {
        return this.region.alloc(bytes, options) / 8;
      } catch (error) {
        if (!isExhausted(error) || !this.#giveBack()) throw error;
      }
    }
  }

  /** A block that belongs to nobody yet, or 0 where the region is full. */
  tryAlloc(bytes: number): number {
    this.#allocations++;
    try {
      return this.region.alloc(bytes) / 8;
    } catch (error) {
      if (isExhausted(error)) return 0;
      throw error;
    }
  }

  /** Frees a block, which nothing names any more, when no reader can see it. */
  retire(unit: number, bytes: number): void {
    this.epochs.retire(offsetOf(unit), bytes);
    this.#retired++;
  }

  /** A bounded part of what is due, after a write of `units` units. */
  afterWrite(units: number): void {
    const { compactor } = this.log;
    if (compactor.busy) compactor.step(COMPACT_UNITS_MIN + units * COMPACT_UNITS_PER_UNIT);
    else if (this.log.deadUnits >= compactor.considerAt) compactor.consider();
    if (this.#retired > 0) this.reclaim(RECLAIM_BLOCKS_MAX);
  }

  /** Gives up to `blocksMax` retired blocks back that no reader can see; returns how many. */
  reclaim(blocksMax: number): number {
    const freed = this.epochs.reclaim(blocksMax);
    this.#retired -= freed;
    this.reclaimedBlocks += freed;
    return freed;
  }

  /** Whether room for so much growth was found, and nothing was handed out since. */
  hasReserved(growths: number, depth: number): boolean {
    const { growths: found, depth: deepest, allocations } = this.#reserved;
    return allocations === this.#allocations && growths <= found && depth <= deepest;
  }

  setReserved(growths: number, depth: number): void {
    this.#reserved = { growths, depth, allocations: this.#allocations };
  }

  /** The directory index that freeing the dropped table at `unit` goes on with. */
  dropIndex(unit: number): number {
    return this.#dropping === unit ? this.#dropIndex : 0;
  }

  setDropIndex(unit: number, index: number): void {
    this.#dropping = unit;
    this.#dropIndex = index;
  }

  /** Begins a new generation for an image, durably. */
  nextGeneration(): number {
    this.generation = (this.generation + 1) >>> 0;
    this.#setDurably(SPACE.generation, this.generation);
    return this.generation;
  }

  /** Bytes of chunks, segments, directories, headers, and of what waits for readers. */
  get usedBytes(): number {
    const changes = this.#allocations + this.reclaimedBlocks;
    if (this.#used.changes !== changes) {
      this.#used = { changes, bytes: this.region.stats.allocatedBytes };
    }
    return this.#used.bytes;
  }

  /** Writes down what a clean open needs. The space must not be used afterwards. */
  close(): void {
    if (this.#closed) return;
    this.imaging?.release();
    this.log.releaseReserve();
    this.log.releaseSpare();
    this.log.seal();
    this.reclaim(Number.POSITIVE_INFINITY);
    this.region.setImager(undefined);
    this.#setDurably(SPACE.clean, 1);
    this.#closed = true;
  }

  /** A key for a new table's hash, from the region's randomness. */
  newSeed(): Seed {
    const message = new Uint8Array(
      Uint32Array.of(++this.#seeds, this.crashes, this.generation).buffer,
    );
    const { uuid } = this.region;
    const { length } = message;
    const lane = (at: number) =>
      hash32(littleEndian(uuid, at), littleEndian(uuid, at + 4), message, 0, length);
    return [lane(0), lane(8)];
  }

  /** Throws `DASH_CLOSED` after `close`. */
  checkOpen(): void {
    if (!this.#closed) return;
    throw new DashError('DASH_CLOSED', 'expected open tables, got closed ones: open them again');
  }

  #setDurably(word: number, value: number): void {
    this.window.commit32(this.at + word, value);
    this.region.persist(this.offsetOfWord(word), 4);
  }

  /** Gives some garbage back to a full region; whether anything came of it. */
  #giveBack(): boolean {
    if (this.reclaim(Number.POSITIVE_INFINITY) > 0) return true;
    if (!this.log.compactor.squeeze()) return false;
    const freed = this.reclaim(Number.POSITIVE_INFINITY);
    this.log.ensureSpare();
    return freed > 0;
  }

  #check(): void {
    const magic = this.word(SPACE.magic);
    if (magic !== SPACE_MAGIC) {
      throw new DashError(
        'DASH_CORRUPT',
        `expected hash tables (0x${SPACE_MAGIC.toString(16)}) at root ${SPACE_ROOT} of the region, got 0x${magic.toString(16)}: something else uses this region`,
      );
    }
    const unknown =
      (this.word(SPACE.incompat) & ~SPACE_KNOWN_INCOMPAT) |
      (this.word(SPACE.readOnlyCompat) & ~SPACE_KNOWN_READ_ONLY_COMPAT);
    if (this.word(SPACE.version) > SPACE_VERSION || unknown !== 0) {
      throw new DashError(
        'DASH_TOO_NEW',
        `expected hash tables of version ${SPACE_VERSION} at most, got version ${this.word(SPACE.version)} with unknown features 0x${(unknown >>> 0).toString(16)}: open them with a newer release`,
      );
    }
  }
}

function create(region: Region, chunkUnits: number): void {
  const offset = region.alloc(SPACE_BYTES);
  const unit = offset / 8;
  const window = windowAt(region.windows, unit);
  const at = wordOf(unit);
  window.zero(at << 2, (at << 2) + SPACE_BYTES);
  window.store32(at + SPACE.version, SPACE_VERSION);
  window.store32(at + SPACE.chunkUnits, chunkUnits);
  window.store32(at + SPACE.crashes, 1);
  window.store32(at + SPACE.generation, 1);
  window.store32(at + SPACE.magic, SPACE_MAGIC);
  region.persist(offset, SPACE_BYTES);
  region.publish(offset, region.rootWord(SPACE_ROOT));
}

function chunkUnitsFor(region: Region, chunkBytes: number | undefined): number {
  if (chunkBytes === undefined) {
    const wanted = 2 ** Math.floor(Math.log2(region.bytesMax / CHUNKS_PER_REGION_MIN));
    return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_DEFAULT_MIN, wanted)) / 8;
  }
  const power = Number.isInteger(Math.log2(chunkBytes));
  if (power && chunkBytes >= CHUNK_BYTES_MIN && chunkBytes <= CHUNK_BYTES_MAX)
    return chunkBytes / 8;
  throw new DashError(
    'DASH_BAD_OPTION',
    `expected chunkBytes to be a power of two from ${CHUNK_BYTES_MIN} to ${CHUNK_BYTES_MAX}, got ${chunkBytes}`,
  );
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function isExhausted(error: unknown): boolean {
  return error instanceof PmemError && error.code === 'PMEM_EXHAUSTED';
}
