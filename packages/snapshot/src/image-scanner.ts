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
 *  1. Nothing is returned from a block before its header and its payload have been checked.
 *  2. No read is asked for that is longer than `BLOCK_BYTES_MAX` or that leaves the file.
 */
import { FormatError } from '@nendb/codec';
import {
  BLOCK_HEADER_BYTES,
  checkPayload,
  decodeBlockHeader,
  decodeFooter,
  decodeHead,
  extendChain,
  FOOTER_BYTES,
  HEAD_BYTES,
  type ImageFooter,
  type ImageHead,
  imageSeed,
} from './format.js';
import { BLOCK_BYTES_MAX } from './limits.js';

/** The bytes at `offset` are not what a writer of this format wrote. */
export class ImageFault extends Error {
  override readonly name = 'ImageFault';
  constructor(
    /** From the start of the file, in bytes. */
    readonly offset: number,
    message: string,
    /** A newer release wrote the file: it is not damaged. */
    readonly tooNew: boolean,
  ) {
    super(message);
  }
}

/** A read that the scanner asks for, in bytes. */
export interface Wanted {
  position: number;
  length: number;
}

export class ImageScanner {
  readonly #fileBytes: number;
  readonly #footerAt: number;
  #head: ImageHead | undefined;
  #footer: ImageFooter | undefined;
  #seed = 0;
  #chain = 0;
  #index = 0;
  #position = HEAD_BYTES;

  /** `fileBytes` is the size of the file as the file system tells it. */
  constructor(fileBytes: number) {
    this.#fileBytes = fileBytes;
    this.#footerAt = fileBytes - FOOTER_BYTES;
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
      return { position: 0, length: Math.min(HEAD_BYTES, this.#fileBytes) };
    }
    if (this.#footer === undefined) {
      const position = Math.max(HEAD_BYTES, this.#footerAt);
      return { position, length: this.#fileBytes - position };
    }
    if (this.#position === this.#footerAt) return undefined;
    const rest = this.#footerAt - this.#position;
    return { position: this.#position, length: Math.min(BLOCK_BYTES_MAX, rest) };
  }

  /**
   * Takes what `want` asked for (fewer bytes where the file ends early) and returns the payload of
   * a block, a view into `bytes`; `undefined` for head and footer. Throws `ImageFault`.
   */
  take(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#head === undefined) {
      this.#head = blame(0, () => decodeHead(bytes));
      this.#seed = imageSeed(this.#head.imageUuid);
      this.#chain = this.#head.crc;
      return undefined;
    }
    if (this.#footer === undefined) {
      const at = Math.max(HEAD_BYTES, this.#footerAt);
      this.#footer = blame(at, () => decodeFooter(bytes, this.#fileBytes, this.#seed));
      if (this.#position === this.#footerAt) this.#checkEnd(this.#footer);
      return undefined;
    }
    return this.#takeBlock(bytes, this.#footer);
  }

  #takeBlock(bytes: Uint8Array, footer: ImageFooter): Uint8Array {
    const index = this.#index;
    const payload = blame(this.#position, () => {
      const header = decodeBlockHeader(bytes, index, this.#seed);
      const end = BLOCK_HEADER_BYTES + header.length;
      if (end > bytes.length) {
        throw new FormatError(
          'FORMAT_TRUNCATED',
          `expected ${end} bytes of block ${index}, got ${bytes.length}`,
        );
      }
      const found = bytes.subarray(BLOCK_HEADER_BYTES, end);
      checkPayload(found, header, index);
      this.#chain = extendChain(this.#chain, header.crc);
      return found;
    });
    this.#index++;
    this.#position += BLOCK_HEADER_BYTES + payload.length;
    if (this.#position === this.#footerAt) this.#checkEnd(footer);
    return payload;
  }

  #checkEnd(footer: ImageFooter): void {
    if (footer.blocks === this.#index && footer.chain === this.#chain) return;
    throw new ImageFault(
      this.#footerAt,
      `expected the ${footer.blocks} blocks that the footer vouches for, got ${this.#index} others`,
      false,
    );
  }
}

/** Runs `check`; what it refuses is refused at `offset`. */
function blame<T>(offset: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new ImageFault(offset, error.message, error.code === 'FORMAT_TOO_NEW');
  }
}
