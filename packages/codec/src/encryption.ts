/**
 * The `encryption` option of every package that writes files: one key, or a keyring.
 *
 * A plain key is a ring of one whose id is 0. A keyring's ids are from 1, so a file always says
 * which of the two it was written with.
 */
import { checkLength, KEY_BYTES } from './aead.js';
import { CryptoError } from './crypto-error.js';
import { Keyring } from './keyring.js';

/** The id of the key in `{ key }`. */
export const PLAIN_KEY_ID = 0;

/** What to encrypt with: a key of 32 random bytes (no password), or a ring of such. */
export type Encryption = { key: Uint8Array } | { keyring: Keyring };

/** A key and the id that files keep of it. */
export interface DataKey {
  readonly id: number;
  readonly key: Uint8Array;
}

/** Keys to encrypt and decrypt files with. A `Keyring` is one. */
export interface DataKeys {
  /** The key for new files: asked for at each, for a ring may get another. */
  readonly active: DataKey;
  /** The key (32 bytes) with this id. Throws `CRYPTO_UNKNOWN_KEY`. */
  key(id: number): Uint8Array;
}

/**
 * The keys that `encryption` gives, borrowed: they live as long as the caller's. Throws
 * `CRYPTO_BAD_OPTION`.
 */
export function dataKeysOf(encryption: Encryption): DataKeys {
  if (encryption instanceof Object && 'keyring' in encryption) {
    if (encryption.keyring instanceof Keyring) return encryption.keyring;
    throw new CryptoError(
      'CRYPTO_BAD_OPTION',
      'expected `keyring` as a Keyring, got something else: see Keyring.decode',
    );
  }
  const key = encryption?.key;
  checkLength('an encryption key', key, KEY_BYTES);
  return {
    active: { id: PLAIN_KEY_ID, key },
    key(id) {
      if (id === PLAIN_KEY_ID) return key;
      throw new CryptoError(
        'CRYPTO_UNKNOWN_KEY',
        `expected a file of the single key (id ${PLAIN_KEY_ID}), got one of key ${id} of a keyring: give the keyring`,
      );
    },
  };
}
