/**
 * What the cache knows of one table: its blocks in memory, by their number, and which were there lately.
 *
 * An array instead of a hash map: the index of a table yields the number of a block anyway, and finding
 * it costs one load.
 */
import type { Frame } from './frame.js';

export class BlockSlots {
  readonly frames: (Frame | undefined)[];
  /** For each block, when it was last evicted before a second use: see `BlockCache`. */
  readonly ghosts: Uint32Array;

  /** For a table of so many blocks. */
  constructor(blocks: number) {
    this.frames = new Array<Frame | undefined>(blocks).fill(undefined);
    this.ghosts = new Uint32Array(blocks);
  }

  /** Its own memory, in bytes: a pointer and a stamp for each block. */
  get bytes(): number {
    return this.frames.length * 12;
  }
}
