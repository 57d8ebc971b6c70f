/**
 * What concerns all tables of a region together: memory, images, maintenance, closing.
 *
 *     const space = DashSpace.of(region);
 *     space.maintain(1000);                  // when there is time
 *     const image = space.image((table, tag, record) => ...);
 *
 * Concurrency: the thread that opened the region.
 */
import type { Region } from '@nendb/pmem';
import { DashImage, type ImageVisitor } from '../image/image.js';
import { RECLAIM_BLOCKS_MAX } from '../limits.js';
import type { RecordReader } from '../log/record.js';
import { freeDropped } from '../table/drop.js';
import { type SpaceStats, spaceStats } from '../table/stats.js';
import { Space, type SpaceOptions } from './space.js';
import { type SpaceVerdict, verifySpace } from './verify.js';

export class DashSpace {
  readonly #space: Space;

  /** The tables of a region; makes what they share where nothing is. */
  static of(region: Region, options: SpaceOptions = {}): DashSpace {
    return new DashSpace(Space.of(region, options));
  }

  private constructor(space: Space) {
    this.#space = space;
  }

  /** Accessors of records: lengths in bytes, copies by value. */
  get records(): RecordReader {
    return this.#space.log.reader;
  }

  /** Addresses of all tables that were not given up, by no order. */
  *tables(): IterableIterator<number> {
    yield* this.#space.slabs.liveTables();
  }

  /**
   * An image of every table at this moment (R16). `visit` receives its entries from `next`. Throws
   * `DASH_IMAGE_ACTIVE`.
   */
  image(visit: ImageVisitor): DashImage {
    return new DashImage(this.#space, visit);
  }

  /**
   * A bounded part of what is due: frees about `units` entries of given-up tables, looks at about as
   * many 8-byte units of garbage, gives back what readers have left. Whether there is more to do.
   */
  maintain(units: number): boolean {
    const space = this.#space;
    const dropping = freeDropped(space, units);
    const { compactor } = space.log;
    if (!compactor.busy) compactor.consider();
    space.log.trimReserve();
    compactor.step(units);
    space.reclaim(RECLAIM_BLOCKS_MAX);
    return dropping || (compactor.busy && !compactor.stuck);
  }

  /** Frees about `entriesMax` entries of given-up tables; whether there are more. */
  free(entriesMax: number): boolean {
    const more = freeDropped(this.#space, entriesMax);
    this.#space.reclaim(RECLAIM_BLOCKS_MAX);
    return more;
  }

  /** Empties the chunk with the most garbage, if one has enough; whether one did. Unbounded by writes. */
  compact(): boolean {
    const emptied = this.#space.log.compactor.squeeze();
    this.#space.reclaim(Number.POSITIVE_INFINITY);
    return emptied;
  }

  get stats(): SpaceStats {
    return spaceStats(this.#space);
  }

  /** Bytes of memory that the tables use, garbage and what is set aside included. Cheap. */
  get usedBytes(): number {
    return this.#space.usedBytes;
  }

  /** Walks what the tables share, and accounts for every block of the region. Reads only. */
  verify(): SpaceVerdict {
    return verifySpace(this.#space);
  }

  /** Marks the tables as cleanly closed: the next open trusts every count. Before `region.close()`. */
  close(): void {
    this.#space.close();
  }
}
