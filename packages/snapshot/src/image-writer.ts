/**
 * Writes one image under its temporary name, with synchronous calls: it runs on a worker thread.
 *
 * Invariants
 *  1. The file is created exclusively: no image is ever written over another.
 *  2. At most `SYNC_STEP_BYTES` and one block are written between two syncs.
 *  3. After `finish` has returned, every byte is on disk; the name is not.
 *  4. After a throw the image is worthless: `abandon` is the only call left. A sync is never
 *     retried, for the system may have dropped what it could not write.
 */
import { type Vfs, type VfsFile, writeFullySync } from '@nendb/vfs';
import {
  BLOCK_HEADER_BYTES,
  encodeFooter,
  encodeHead,
  extendChain,
  FOOTER_BYTES,
  HEAD_BYTES,
  imageSeed,
  sealBlock,
} from './format.js';
import { SYNC_STEP_BYTES } from './limits.js';
import type { SnapshotHeader } from './types.js';

export class ImageWriter {
  readonly #file: VfsFile;
  #open = true;
  readonly #seed: number;
  #chain: number;
  #blocks = 0;
  #position = HEAD_BYTES;
  #unsyncedBytes = HEAD_BYTES;

  constructor(vfs: Vfs, path: string, header: SnapshotHeader, imageUuid: Uint8Array) {
    const head = encodeHead(header, imageUuid);
    this.#seed = imageSeed(imageUuid);
    this.#chain = head.crc;
    this.#file = vfs.openSync(path, 'create');
    try {
      writeFullySync(this.#file, head.bytes, 0);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** `block` is room for a block header with the payload behind it; the header is filled in here. */
  writeBlock(block: Uint8Array): void {
    this.#chain = extendChain(this.#chain, sealBlock(block, this.#blocks, this.#seed));
    writeFullySync(this.#file, block, this.#position);
    this.#blocks++;
    this.#position += block.length;
    this.#unsyncedBytes += block.length;
    if (this.#unsyncedBytes >= SYNC_STEP_BYTES) {
      this.#file.syncSync({ dataOnly: true });
      this.#unsyncedBytes = 0;
    }
  }

  /** Writes the footer, syncs and closes; returns the bytes of the file. */
  finish(): number {
    const fileBytes = this.#position + FOOTER_BYTES;
    const payloadBytes = this.#position - HEAD_BYTES - this.#blocks * BLOCK_HEADER_BYTES;
    const footer = { payloadBytes, fileBytes, blocks: this.#blocks, chain: this.#chain };
    writeFullySync(this.#file, encodeFooter(footer, this.#seed), this.#position);
    this.#file.syncSync();
    this.#open = false;
    this.#file.closeSync();
    return fileBytes;
  }

  /** Closes the file and leaves it behind, worthless. */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#file.closeSync();
    } catch {
      // The image is given up whatever a close says.
    }
  }
}
