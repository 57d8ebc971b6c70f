/**
 * What encryption means for a manifest: the header is in the clear and authenticated as block 0, an
 * edit is sealed as the block at its offset, its frame's length, number and kind authenticated with it.
 */
import { type DataKeys, FILE_SALT_BYTES, FileCipher, type FileSecret } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import { CIPHER_INFO, FRAME_CHAIN_AT } from './format.js';

const HEADER_TYPE = 1;
const EDIT_TYPE = 2;
const NOTHING = new Uint8Array(0);

export class ManifestCipher {
  readonly keyId: number;
  readonly salt: Uint8Array;
  readonly #cipher: FileCipher;

  constructor(dataKey: FileSecret['dataKey'], salt: Uint8Array, fileId: Uint8Array) {
    this.keyId = dataKey.id;
    this.salt = salt;
    this.#cipher = FileCipher.derive({ dataKey, salt, info: CIPHER_INFO, fileId });
  }

  /** For a new manifest, under the active key. */
  static create(vfs: Vfs, keys: DataKeys, fileId: Uint8Array): ManifestCipher {
    const salt = new Uint8Array(FILE_SALT_BYTES);
    vfs.random.fill(salt);
    return new ManifestCipher(keys.active, salt, fileId);
  }

  sealHeader(clear: Uint8Array): Uint8Array {
    return this.#cipher.seal(0, HEADER_TYPE, NOTHING, clear);
  }

  /** Throws `CRYPTO_BAD_TAG`. */
  openHeader(clear: Uint8Array, tag: Uint8Array): void {
    this.#cipher.open(0, HEADER_TYPE, tag, clear);
  }

  sealEdit(offset: number, payload: Uint8Array, header: Uint8Array): Uint8Array {
    return this.#cipher.seal(offset, EDIT_TYPE, payload, header.subarray(0, FRAME_CHAIN_AT));
  }

  /** Throws `CRYPTO_BAD_TAG`. */
  openEdit(offset: number, sealed: Uint8Array, header: Uint8Array): Uint8Array {
    return this.#cipher.open(offset, EDIT_TYPE, sealed, header.subarray(0, FRAME_CHAIN_AT));
  }

  dispose(): void {
    this.#cipher.dispose();
  }
}
