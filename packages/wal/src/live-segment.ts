/** The segment being written: its file, and what has been written to it so far. */
import type { FileCipher } from '@nendb/codec';
import type { Vfs, VfsFile } from '@nendb/vfs';
import type { Segment } from './directory.js';
import { segmentName } from './format.js';
import { CHAIN_START, frameSeed } from './frame.js';
import type { SegmentHeader } from './segment-header.js';
import { SparseIndex } from './trailer.js';

export class LiveSegment {
  readonly name: string;
  readonly path: string;
  readonly header: SegmentHeader;
  readonly headerBytes: number;
  readonly seed: number;
  readonly file: VfsFile;
  /**
   * The same file once more, for syncs that block: the kernel reports a failure once to each open
   * descriptor, so that a sync in the pool and one beside it both hear of it.
   */
  twin: VfsFile | undefined;
  readonly index = new SparseIndex();
  /** Behind the last frame that was written, in bytes. */
  end: number;
  /** Up to here a sync has finished, in bytes. */
  syncedEnd: number;
  chain = CHAIN_START;
  lastLsn: number;

  constructor(
    dir: string,
    header: SegmentHeader,
    headerBytes: number,
    file: VfsFile,
    twin?: VfsFile,
  ) {
    this.name = segmentName(header.sequence);
    this.path = `${dir}/${this.name}`;
    this.header = header;
    this.headerBytes = headerBytes;
    this.seed = frameSeed(header.segmentUuid);
    this.file = file;
    this.twin = twin;
    this.end = headerBytes;
    this.syncedEnd = headerBytes;
    this.lastLsn = header.baseLsn - 1;
  }

  get cipher(): FileCipher | undefined {
    return this.header.sealing?.cipher;
  }

  /** Opens the twin; the file has its final name. */
  async openTwin(vfs: Vfs): Promise<void> {
    this.twin = await vfs.open(this.path, 'write');
  }

  /** Frames up to `end` are written, the newest record is `lastLsn`, `chain` covers their headers. */
  advance(end: number, lastLsn: number, chain: number): void {
    this.end = end;
    this.lastLsn = lastLsn;
    this.chain = chain;
  }

  /** Waits for what is in flight. */
  async close(): Promise<void> {
    await this.twin?.close();
    await this.file.close();
  }

  /** The segment as readers see it: up to what is written, or to another end with its LSN. */
  describe(end = this.end, lastLsn = this.lastLsn): Segment {
    return {
      name: this.name,
      path: this.path,
      header: this.header,
      headerBytes: this.headerBytes,
      seed: this.seed,
      end,
      lastLsn,
      chain: this.chain,
      fileBytes: this.end,
      index: this.index,
    };
  }
}
