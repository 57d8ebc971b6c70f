/**
 * Checks an image from its first byte to its last. Pure: says what it wants to read, takes the
 * bytes; the drivers in `image-reader.ts` do the reading, on the core thread or off it.
 *
 *     head -> footer -> block 0 -> block 1 -> ... -> done
 *
 * The footer comes before the blocks, so that a look at both ends is the first two steps of a look
 * at everything.
 *
 * Invariants
 *  1. Nothing is returned from a block before its header, its stored bytes and, where there is one,
 *     its tag have been checked.
 *  2. No read is asked for that is longer than `BLOCK_BYTES_MAX` or that leaves the file. What a block
 *     inflates to is bounded by the same.
 *  3. Checksums are looked at before tags: a tag that does not fit is never a damaged disk.
 */
import { CryptoError, type DataKeys, decompress, FormatError } from '@nendb/codec';
import { whole } from './fields.js';
import {
  BLOCK_HEADER_BYTES,
  blockPayloadBytesMax,
  footerBytes,
  HEAD_BYTES_MAX,
  headBytes,
} from './format.js';
import { type BlockHeader, checkStored, decodeBlockHeader } from './image-block.js';
import { deriveImageKey, ImageCipher } from './image-cipher.js';
import { decodeFooter, type ImageFooter } from './image-footer.js';
import { decodeHead, extendChain, type ImageHead, imageSeed } from './image-head.js';
import { BLOCK_BYTES_MAX } from './limits.js';
import type { SnapshotState } from './types.js';

/** Why an image is not to be used, but for a file system that refuses. */
export type FaultState = Exclude<SnapshotState, 'valid' | 'unreadable'>;

/** The bytes at `offset` are not what a writer of this format wrote, or not with these keys. */
export class ImageFault extends Error {
  override readonly name = 'ImageFault';
  constructor(
    readonly state: FaultState,
    /** From the start of the file, in bytes. */
    readonly offset: number,
    message: string,
  ) {
    super(message);
  }
}

/** With which keys an image is looked at. */
export interface Access {
  /** An image that is not encrypted is refused then. */
  keys?: DataKeys;
  /** Whether the payload is wanted: an encrypted image is refused without keys then. */
  payload: boolean;
}

/** A read that the scanner asks for, in bytes. */
export interface Wanted {
  position: number;
  length: number;
}

export class ImageScanner {
  readonly #fileBytes: number;
  readonly #access: Access;
  #head: ImageHead | undefined;
  #footer: ImageFooter | undefined;
  #cipher: ImageCipher | undefined;
  #seed = 0;
  #chain = 0;
  #index = 0;
  #payloadBytes = 0;
  #position = 0;
  #footerAt = 0;

  /** `fileBytes` is the size of the file as the file system tells it. */
  constructor(fileBytes: number, access: Access) {
    this.#fileBytes = fileBytes;
    this.#access = access;
  }

  get head(): ImageHead | undefined {
    return this.#head;
  }

  get footer(): ImageFooter | undefined {
    return this.#footer;
  }

  /** The read that `take` needs next; `undefined` when the whole image has been checked. */
  want(): Wanted | undefined {
    if (this.#head === undefined) {
      return { position: 0, length: Math.min(HEAD_BYTES_MAX, this.#fileBytes) };
    }
    if (this.#footer === undefined) {
      return { position: this.#footerAt, length: this.#fileBytes - this.#footerAt };
    }
    if (this.#position === this.#footerAt) return undefined;
    const rest = this.#footerAt - this.#position;
    return { position: this.#position, length: Math.min(BLOCK_BYTES_MAX, rest) };
  }

  /**
   * Takes what `want` asked for (fewer bytes where the file ends early) and yields the payloads of the
   * blocks that are whole in it, views into `bytes` or buffers of their own; none for head and
   * footer, nor for an encrypted image without keys. Lazily, for many short blocks may inflate to
   * much; it is to be run to its end before the next `want`. Throws `ImageFault`.
   */
  *take(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (this.#head === undefined) this.#takeHead(bytes);
    else if (this.#footer === undefined) this.#takeFooter(bytes, this.#head);
    else yield* this.#takeBlocks(bytes, this.#head, this.#footer);
  }

  /** Takes `bytes` and looks at everything, for those who do not want the payloads. */
  check(bytes: Uint8Array): void {
    const payloads = this.take(bytes);
    while (!payloads.next().done);
  }

  /** Zeroes the key. The scanner takes nothing more. */
  dispose(): void {
    this.#cipher?.dispose();
  }

  #takeHead(bytes: Uint8Array): void {
    const head = blame(0, () => decodeHead(bytes));
    this.#seed = imageSeed(head.imageUuid);
    this.#chain = head.crc;
    this.#position = headBytes(head.encrypted);
    this.#footerAt = Math.max(this.#position, this.#fileBytes - footerBytes(head.encrypted));
    this.#cipher = blame(0, () => unlock(head, this.#access));
    this.#head = head;
  }

  #takeFooter(bytes: Uint8Array, head: ImageHead): void {
    this.#footer = blame(this.#footerAt, () =>
      decodeFooter(bytes, this.#fileBytes, this.#seed, head, this.#cipher),
    );
    if (this.#position === this.#footerAt) this.#checkEnd(head, this.#footer);
  }

  *#takeBlocks(
    bytes: Uint8Array,
    head: ImageHead,
    footer: ImageFooter,
  ): Generator<Uint8Array, void, undefined> {
    let from = 0;
    do {
      const block = bytes.subarray(from);
      // The next read begins with a block that is not whole here, and has room for the longest.
      if (from > 0 && block.length < BLOCK_HEADER_BYTES) break;
      const header = blame(this.#position, () =>
        decodeBlockHeader(block, this.#index, this.#seed, head),
      );
      const end = BLOCK_HEADER_BYTES + header.length;
      if (from > 0 && end > block.length) break;
      const payload = blame(this.#position, () => {
        whole(block, end, `block ${this.#index}`);
        const stored = block.subarray(BLOCK_HEADER_BYTES, end);
        checkStored(stored, header, this.#index);
        return this.#open(stored, header, head);
      });
      this.#chain = extendChain(this.#chain, header.crc);
      from += end;
      this.#index++;
      this.#position += end;
      if (payload !== undefined) yield payload;
    } while (from < bytes.length);
    if (this.#position === this.#footerAt) this.#checkEnd(head, footer);
  }

  /** The payload of a block; `undefined` where there is no key for it. */
  #open(stored: Uint8Array, header: BlockHeader, head: ImageHead): Uint8Array | undefined {
    if (head.encrypted && this.#cipher === undefined) return undefined;
    const packed = this.#cipher?.openBlock(this.#index, header.compression, stored) ?? stored;
    const payload = decompress(packed, header.compression, blockPayloadBytesMax(head.encrypted));
    this.#payloadBytes += payload.length;
    return payload;
  }

  #checkEnd(head: ImageHead, footer: ImageFooter): void {
    if (footer.blocks !== this.#index || footer.chain !== this.#chain) {
      throw new ImageFault(
        'damaged',
        this.#footerAt,
        `expected the ${footer.blocks} blocks that the footer vouches for, got ${this.#index} others`,
      );
    }
    const opened = !head.encrypted || this.#cipher !== undefined;
    if (opened && footer.payloadBytes !== this.#payloadBytes) {
      throw new ImageFault(
        'damaged',
        this.#footerAt,
        `expected ${footer.payloadBytes} bytes of payload, got ${this.#payloadBytes}`,
      );
    }
  }
}

/** The cipher for an image, its head authenticated; `undefined` where none is needed. */
function unlock({ lock, imageUuid }: ImageHead, access: Access): ImageCipher | undefined {
  const { keys, payload } = access;
  if (lock === undefined) {
    if (keys === undefined) return undefined;
    throw new ImageFault(
      'not-encrypted',
      0,
      'expected an encrypted image, got one in the clear: leave `encryption` out if that is right',
    );
  }
  if (keys === undefined) {
    if (!payload) return undefined;
    throw new ImageFault(
      'no-key',
      0,
      `expected an image in the clear, got one that is encrypted with key ${lock.keyId}: give \`encryption\``,
    );
  }
  const imageKey = deriveImageKey({ id: lock.keyId, key: keys.key(lock.keyId) }, lock.salt);
  const cipher = new ImageCipher(imageKey, imageUuid);
  imageKey.fileKey.fill(0);
  try {
    cipher.openHead(lock.clear, lock.tag);
    return cipher;
  } catch (error) {
    cipher.dispose();
    throw error;
  }
}

/** Runs `check`; what it refuses is refused at `offset`. */
function blame<T>(offset: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof FormatError) {
      const state = error.code === 'FORMAT_TOO_NEW' ? 'too-new' : 'damaged';
      throw new ImageFault(state, offset, error.message);
    }
    const wrongKey =
      error instanceof CryptoError &&
      (error.code === 'CRYPTO_BAD_TAG' || error.code === 'CRYPTO_UNKNOWN_KEY');
    if (wrongKey) throw new ImageFault('wrong-key', offset, error.message);
    throw error;
  }
}
