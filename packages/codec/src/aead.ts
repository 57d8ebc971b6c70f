/**
 * Authenticated encryption of a file's blocks: AES-256-GCM under a key of the file's own.
 *
 *     file key          HKDF-SHA256(data key, salt of the file, what the file is)
 *     nonce             0 block u64 | 8 zero u32
 *     associated data   0 file id 16 | 16 key id u32 | 20 type u32 | 24 block u64 | 32 length u32 | 36 the caller's
 *     sealed            ciphertext (as long as the plaintext) | tag 16
 *
 * Little-endian. Invariants
 *  1. No nonce is used twice under a file key: every file has a salt of its own, the nonce is the
 *     block's number, and `seal` takes growing numbers only. So a file is never appended to after it
 *     was opened again, and a block that has to be written again is written from the bytes that were
 *     sealed, or to a new file.
 *  2. A tag has 16 bytes, always: shorter ones are not accepted.
 *  3. Plaintext is given out only after its tag was checked.
 *  4. A sealed block is good for one place: file, key, type, number and length are authenticated.
 *
 * Secrets are copied into buffers of their own and zeroed on `dispose`. What the platform's crypto
 * and the garbage collector copied cannot be wiped.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { CryptoError } from './crypto-error.js';
import { FormatError } from './errors.js';
import { UUID_BYTES } from './uuid.js';

/** Master keys, data keys and file keys, in bytes. */
export const KEY_BYTES = 32;
/** The salt of a file, in bytes. */
export const FILE_SALT_BYTES = 32;
/** How much longer sealed bytes are than the plaintext. */
export const TAG_BYTES = 16;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const AUTH_TAG = { authTagLength: TAG_BYTES };
const KEY_ID_AT = 16;
const TYPE_AT = 20;
const BLOCK_AT = 24;
const LENGTH_AT = 32;
const ASSOCIATED_BYTES = 36;
const U32_MAX = 0xffffffff;

/**
 * The key of one file: HKDF-SHA256 (RFC 5869) of a data key (32 bytes), the file's random salt (32
 * bytes) and `info`, which says what kind of file it is. Throws `CRYPTO_BAD_OPTION`.
 */
export function deriveFileKey(
  dataKey: Uint8Array,
  fileSalt: Uint8Array,
  info: string,
): Uint8Array<ArrayBuffer> {
  checkLength('a data key', dataKey, KEY_BYTES);
  checkLength('a file salt', fileSalt, FILE_SALT_BYTES);
  return new Uint8Array(hkdfSync('sha256', dataKey, fileSalt, info, KEY_BYTES));
}

/** A data key and what makes a file's key of it. */
export interface FileSecret {
  /** `active` of the keys at hand, or the one that the file names. */
  dataKey: { readonly id: number; readonly key: Uint8Array };
  /** 32 random bytes, kept in the clear in the file. */
  salt: Uint8Array;
  /** What kind of file it is, for example `nendb snapshot`. */
  info: string;
  /** 16 bytes: the file's uuid. */
  fileId: Uint8Array;
}

/** Seals and opens the blocks of one file. Synchronous; used by one thread. */
export class FileCipher {
  readonly keyId: number;
  readonly #key: Uint8Array;
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  readonly #associated = Buffer.alloc(ASSOCIATED_BYTES);
  #lastSealed = -1;
  #disposed = false;

  /**
   * `key` (32 bytes, copied) is the file's, `fileId` its uuid, `keyId` the id of the data key that
   * `key` was derived from. Throws `CRYPTO_BAD_OPTION`.
   */
  constructor({ key, fileId, keyId }: { key: Uint8Array; fileId: Uint8Array; keyId: number }) {
    checkLength('a file key', key, KEY_BYTES);
    checkLength('a file id', fileId, UUID_BYTES);
    checkInteger('a key id', keyId, U32_MAX);
    this.#key = Uint8Array.from(key);
    this.keyId = keyId;
    this.#associated.set(fileId, 0);
    this.#associated.writeUInt32LE(keyId, KEY_ID_AT);
  }

  /** A cipher for the file that `secret` describes. Throws `CRYPTO_BAD_OPTION`. */
  static derive({ dataKey, salt, info, fileId }: FileSecret): FileCipher {
    const key = deriveFileKey(dataKey.key, salt, info);
    try {
      return new FileCipher({ key, fileId, keyId: dataKey.id });
    } finally {
      key.fill(0);
    }
  }

  /**
   * The sealed bytes of `plaintext`, `TAG_BYTES` longer than it. `block` is its number in the file,
   * from 0 to 2^53 - 1 and above every number sealed before: an index or an offset; `type` (u32) is
   * for the file's format to tell kinds of blocks apart; `associated` are clear bytes, a header for
   * instance, that are authenticated with it.
   *
   * Throws `CRYPTO_NONCE_REUSE`, `CRYPTO_BAD_OPTION`, `CRYPTO_DISPOSED`.
   */
  seal(
    block: number,
    type: number,
    plaintext: Uint8Array,
    associated?: Uint8Array,
  ): Uint8Array<ArrayBuffer> {
    this.#address(block, type, plaintext.length);
    if (block <= this.#lastSealed) {
      throw new CryptoError(
        'CRYPTO_NONCE_REUSE',
        `expected a block above ${this.#lastSealed}, the last one sealed in this file, got ${block}: write the sealed bytes again or use a new file`,
      );
    }
    this.#lastSealed = block;
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonce, AUTH_TAG);
    cipher.setAAD(this.#associatedWith(associated));
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    sealed.set(cipher.update(plaintext), 0);
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  }

  /**
   * The plaintext of `sealed`, a new buffer. `block`, `type` and `associated` as they were sealed.
   *
   * Throws `CRYPTO_BAD_TAG` where the tag does not fit, `FormatError` `FORMAT_TRUNCATED` where there
   * is no room for one, `CRYPTO_BAD_OPTION`, `CRYPTO_DISPOSED`.
   */
  open(
    block: number,
    type: number,
    sealed: Uint8Array,
    associated?: Uint8Array,
  ): Uint8Array<ArrayBuffer> {
    const length = sealed.length - TAG_BYTES;
    if (length < 0) {
      throw new FormatError(
        'FORMAT_TRUNCATED',
        `expected a sealed block of at least ${TAG_BYTES} bytes, got ${sealed.length}`,
      );
    }
    this.#address(block, type, length);
    const decipher = createDecipheriv(CIPHER, this.#key, this.#nonce, AUTH_TAG);
    decipher.setAAD(this.#associatedWith(associated));
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw new CryptoError(
        'CRYPTO_BAD_TAG',
        `expected block ${block} of type ${type} to be sealed with key ${this.keyId}, but its tag does not fit: the key is wrong, or the bytes were tampered with`,
      );
    }
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  }

  /** Zeroes the key. Every later call throws `CRYPTO_DISPOSED`. */
  dispose(): void {
    this.#key.fill(0);
    this.#disposed = true;
  }

  #associatedWith(more: Uint8Array | undefined): Uint8Array {
    return more === undefined ? this.#associated : Buffer.concat([this.#associated, more]);
  }

  /** Sets nonce and associated data. */
  #address(block: number, type: number, length: number): void {
    if (this.#disposed) {
      throw new CryptoError(
        'CRYPTO_DISPOSED',
        'expected a cipher in use, got one that was disposed of: derive another',
      );
    }
    checkInteger('a block number', block, Number.MAX_SAFE_INTEGER);
    checkInteger('a block type', type, U32_MAX);
    checkInteger('a block length', length, U32_MAX);
    const low = block % 2 ** 32;
    const high = (block - low) / 2 ** 32;
    this.#nonce.writeUInt32LE(low, 0);
    this.#nonce.writeUInt32LE(high, 4);
    this.#associated.writeUInt32LE(type, TYPE_AT);
    this.#associated.writeUInt32LE(low, BLOCK_AT);
    this.#associated.writeUInt32LE(high, BLOCK_AT + 4);
    this.#associated.writeUInt32LE(length, LENGTH_AT);
  }
}

/** Throws `CRYPTO_BAD_OPTION` unless `bytes` are so many. */
export function checkLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes instanceof Uint8Array && bytes.length === length) return;
  throw new CryptoError(
    'CRYPTO_BAD_OPTION',
    `expected ${what} of ${length} bytes (Uint8Array), got ${bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes}`,
  );
}

/** Throws `CRYPTO_BAD_OPTION` unless `value` is an integer from 0 to `max`. */
export function checkInteger(what: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new CryptoError(
    'CRYPTO_BAD_OPTION',
    `expected ${what} as an integer from 0 to ${max}, got ${String(value)}`,
  );
}
