/**
 * Writes one image under its temporary name, with synchronous calls: it runs on a worker thread.
 *
 * Invariants
 *  1. The file is created exclusively: no image is ever written over another.
 *  2. At most `SYNC_STEP_BYTES` and one block are written between two syncs.
 *  3. After `finish` has returned, every byte is on disk; the name is not.
 *  4. After a throw the image is worthless: `abandon` is the only call left. A sync is never
 *     retried, for the system may have dropped what it could not write.
 *  5. The key is zeroed by whichever of `finish` and `abandon` ends the image.
 */
import type { Compression } from '@nendb/codec';
import { type Vfs, type VfsFile, writeFullySync } from '@nendb/vfs';
import { BLOCK_HEADER_BYTES, footerBytes } from './format.js';
import { encodeBlock, type Storing } from './image-block.js';
import { ImageCipher, type ImageKey } from './image-cipher.js';
import { encodeFooter } from './image-footer.js';
import { encodeHead, extendChain, imageSeed } from './image-head.js';
import { SYNC_STEP_BYTES } from './limits.js';
import type { SnapshotHeader } from './types.js';

/** What an image is to be. */
export interface ImagePlan {
  header: SnapshotHeader;
  /** 16 bytes, new. */
  imageUuid: Uint8Array;
  compression: Compression;
  /** Where the image is encrypted. */
  key?: ImageKey;
}

export class ImageWriter {
  readonly #file: VfsFile;
  #open = true;
  readonly #storing: Storing;
  readonly #seed: number;
  #chain: number;
  #blocks = 0;
  #payloadBytes = 0;
  #position: number;
  #unsyncedBytes: number;

  constructor(vfs: Vfs, path: string, { header, imageUuid, compression, key }: ImagePlan) {
    const cipher = key && new ImageCipher(key, imageUuid);
    this.#storing = { compression, ...(cipher && { cipher }) };
    const head = encodeHead(header, imageUuid, {
      compressed: compression !== 'none',
      ...(key && cipher && { lock: { keyId: key.keyId, salt: key.salt, cipher } }),
    });
    this.#seed = imageSeed(imageUuid);
    this.#chain = head.crc;
    this.#position = head.bytes.length;
    this.#unsyncedBytes = head.bytes.length;
    this.#file = vfs.openSync(path, 'create');
    try {
      writeFullySync(this.#file, head.bytes, 0);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** `room` is room for a block header with the payload behind it. */
  writeBlock(room: Uint8Array): void {
    const { bytes, crc } = encodeBlock(room, this.#blocks, this.#seed, this.#storing);
    this.#chain = extendChain(this.#chain, crc);
    writeFullySync(this.#file, bytes, this.#position);
    this.#blocks++;
    this.#payloadBytes += room.length - BLOCK_HEADER_BYTES;
    this.#position += bytes.length;
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes >= SYNC_STEP_BYTES) {
      this.#file.syncSync({ dataOnly: true });
      this.#unsyncedBytes = 0;
    }
  }

  /** Writes the footer, syncs and closes; returns the bytes of the file. */
  finish(): number {
    const { cipher } = this.#storing;
    const fileBytes = this.#position + footerBytes(cipher !== undefined);
    const footer = {
      payloadBytes: this.#payloadBytes,
      fileBytes,
      blocks: this.#blocks,
      chain: this.#chain,
    };
    writeFullySync(this.#file, encodeFooter(footer, this.#seed, cipher), this.#position);
    cipher?.dispose();
    this.#file.syncSync();
    this.#open = false;
    this.#file.closeSync();
    return fileBytes;
  }

  /** Closes the file and leaves it behind, worthless. */
  abandon(): void {
    this.#storing.cipher?.dispose();
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#file.closeSync();
    } catch {
      // The image is given up whatever a close says.
    }
  }
}
