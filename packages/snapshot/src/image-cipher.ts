/**
 * What encryption means for an image: what is sealed, under which number and type.
 *
 *     part       number       type                      sealed           authenticated with it
 *     head       0            1                         nothing          bytes 0 to 131: head, key id, salt
 *     block i    i + 1        2 | compression << 8      stored bytes     -
 *     footer     blocks + 1   3                         nothing          bytes 0 to 35 of the footer
 *
 * So everything in the clear that a reader acts upon is authenticated: LSN, epoch, uuids, key id,
 * order and number of the blocks, their compression, all lengths. Numbers grow from the head to the
 * footer, as the cipher asks for.
 */
import { type DataKey, deriveFileKey, FileCipher } from '@nendb/codec';

const HEAD_TYPE = 1;
const BLOCK_TYPE = 2;
const FOOTER_TYPE = 3;
const COMPRESSION_SHIFT = 8;
const NOTHING = new Uint8Array(0);
/** What the keys of images are derived for: no other kind of file has the same. */
const INFO = 'nendb snapshot';

/** What makes the key of one image; can be sent to another thread. */
export interface ImageKey {
  /** Id of the data key that `fileKey` comes from. */
  keyId: number;
  /** 32 random bytes, made for the image. */
  salt: Uint8Array;
  /** 32 bytes, secret. */
  fileKey: Uint8Array;
}

/** The key of an image with this salt. Throws `CryptoError`. */
export function deriveImageKey({ id, key }: DataKey, salt: Uint8Array): ImageKey {
  return { keyId: id, salt, fileKey: deriveFileKey(key, salt, INFO) };
}

/** Seals or opens one image. `open` calls throw `CryptoError` `CRYPTO_BAD_TAG`. */
export class ImageCipher {
  readonly #cipher: FileCipher;

  constructor({ keyId, fileKey }: ImageKey, imageUuid: Uint8Array) {
    this.#cipher = new FileCipher({ key: fileKey, fileId: imageUuid, keyId });
  }

  /** The tag for the clear bytes of a head. */
  sealHead(clear: Uint8Array): Uint8Array {
    return this.#cipher.seal(0, HEAD_TYPE, NOTHING, clear);
  }

  openHead(clear: Uint8Array, tag: Uint8Array): void {
    this.#cipher.open(0, HEAD_TYPE, tag, clear);
  }

  sealBlock(index: number, compression: number, bytes: Uint8Array): Uint8Array {
    return this.#cipher.seal(index + 1, blockType(compression), bytes);
  }

  openBlock(index: number, compression: number, sealed: Uint8Array): Uint8Array {
    return this.#cipher.open(index + 1, blockType(compression), sealed);
  }

  /** The tag for the clear bytes of the footer behind so many blocks. */
  sealFooter(blocks: number, clear: Uint8Array): Uint8Array {
    return this.#cipher.seal(blocks + 1, FOOTER_TYPE, NOTHING, clear);
  }

  openFooter(blocks: number, clear: Uint8Array, tag: Uint8Array): void {
    this.#cipher.open(blocks + 1, FOOTER_TYPE, tag, clear);
  }

  /** Zeroes the key. */
  dispose(): void {
    this.#cipher.dispose();
  }
}

function blockType(compression: number): number {
  return BLOCK_TYPE | (compression << COMPRESSION_SHIFT);
}
