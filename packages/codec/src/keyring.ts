/**
 * Data keys, wrapped by a master key. Files are encrypted under data keys; a new master key wraps
 * them anew and no file is touched; a new data key is for the files written from then on.
 *
 * Invariants
 *  1. Data keys are random, have ids from 1 that are never reused, and are never taken out: a file
 *     of any age stays readable.
 *  2. The last key added is the active one.
 *  3. `encode` gives the same bytes until a key is added or the ring wrapped anew, so a write of the
 *     file may be repeated.
 *
 * The ring lives in memory; whoever uses it writes `encode()` to a file, atomically and durably,
 * before anything is encrypted with a key that it added. Keys are zeroed on `dispose`.
 */
import { checkInteger, checkLength, FILE_SALT_BYTES, KEY_BYTES } from './aead.js';
import { CryptoError } from './crypto-error.js';
import type { DataKey, DataKeys } from './encryption.js';
import { decodeKeyring, encodeKeyring, type WrappedKey } from './keyring-format.js';
import { KEYRING_KEYS_MAX } from './limits.js';
import { type ClearKey, MasterKey, type RandomSource } from './master-key.js';
import { UUID_BYTES } from './uuid.js';

const KEY_ID_MAX = 0xffffffff;

/** What a new ring is made for. */
export interface KeyringOrigin {
  /** When its first key is made: ms since 1970. */
  createdAtMs: number;
  /** 16 bytes: the database that it belongs to. Default: zeros, which is none in particular. */
  databaseUuid?: Uint8Array;
}

export class Keyring implements DataKeys {
  /** 16 bytes: the database that the ring belongs to, zeros for none in particular. */
  readonly databaseUuid: Uint8Array;
  #master: MasterKey;
  #salt: Uint8Array;
  #wrapped: WrappedKey[] = [];
  #keys: ClearKey[] = [];
  #disposed = false;

  private constructor(masterKey: Uint8Array, salt: Uint8Array, databaseUuid: Uint8Array) {
    this.databaseUuid = databaseUuid;
    this.#salt = salt;
    this.#master = new MasterKey(masterKey, salt, databaseUuid);
  }

  /** A ring with one new key. `masterKey` has 32 bytes. Throws `CRYPTO_BAD_OPTION`. */
  static create(masterKey: Uint8Array, random: RandomSource, origin: KeyringOrigin): Keyring {
    checkLength('a master key', masterKey, KEY_BYTES);
    const databaseUuid = Uint8Array.from(origin.databaseUuid ?? new Uint8Array(UUID_BYTES));
    checkLength('a database uuid', databaseUuid, UUID_BYTES);
    const ring = new Keyring(masterKey, newSalt(random), databaseUuid);
    ring.add(random, origin.createdAtMs);
    return ring;
  }

  /**
   * The ring that `bytes` hold.
   *
   * Throws `FormatError` for damage (`FORMAT_BAD_CHECKSUM` and the other codes), `CryptoError`:
   * `CRYPTO_WRONG_KEY` for another master key, `CRYPTO_BAD_TAG` where the master key is the right one
   * and somebody changed bytes and checksum, `CRYPTO_BAD_OPTION`.
   */
  static decode(bytes: Uint8Array, masterKey: Uint8Array): Keyring {
    checkLength('a master key', masterKey, KEY_BYTES);
    const encoded = decodeKeyring(bytes);
    const ring = new Keyring(masterKey, encoded.salt, encoded.databaseUuid);
    try {
      if (!ring.#master.fits(encoded.check)) {
        throw new CryptoError(
          'CRYPTO_WRONG_KEY',
          'expected the master key that wraps this keyring, got another: the keyring is not damaged, use the key that it was last wrapped with',
        );
      }
      if (!ring.#master.authenticates(encoded.authenticated, encoded.mac)) {
        throw new CryptoError(
          'CRYPTO_BAD_TAG',
          'expected a keyring as its master key left it, but its authentication does not fit: it was tampered with, restore it from a backup',
        );
      }
      for (const entry of encoded.entries) {
        ring.#keys.push(ring.#master.unwrap(entry));
        ring.#wrapped.push(entry);
      }
      return ring;
    } catch (error) {
      ring.dispose();
      throw error;
    }
  }

  /** The key for new files. Borrowed: not to be changed, gone with `dispose`. */
  get active(): DataKey {
    this.#checkUsable();
    const { id, key } = this.#keys[this.#keys.length - 1];
    return { id, key };
  }

  /** Ids and ages of all keys, the oldest first. Ages in ms since 1970. */
  get entries(): readonly { readonly id: number; readonly createdAtMs: number }[] {
    return this.#wrapped.map(({ id, createdAtMs }) => ({ id, createdAtMs }));
  }

  /** The key with this id, borrowed. Throws `CRYPTO_UNKNOWN_KEY`, `CRYPTO_DISPOSED`. */
  key(id: number): Uint8Array {
    this.#checkUsable();
    const found = this.#keys.find((each) => each.id === id);
    if (found !== undefined) return found.key;
    throw new CryptoError(
      'CRYPTO_UNKNOWN_KEY',
      `expected one of the keys ${this.#keys.map((each) => each.id).join(', ')} of this keyring, got ${id}: ${id === 0 ? 'the file was encrypted with a single key, give that one' : 'use the newest keyring of the database'}`,
    );
  }

  /**
   * Adds a random key, made at `createdAtMs` (ms since 1970), and makes it the active one. Write the
   * ring to its file before the key is used. Throws `CRYPTO_BAD_OPTION`, also for a full ring.
   */
  add(random: RandomSource, createdAtMs: number): DataKey {
    this.#checkUsable();
    checkInteger('createdAtMs', createdAtMs, Number.MAX_SAFE_INTEGER);
    const id = (this.#keys.at(-1)?.id ?? 0) + 1;
    if (this.#keys.length >= KEYRING_KEYS_MAX || id > KEY_ID_MAX) {
      throw new CryptoError(
        'CRYPTO_BAD_OPTION',
        `expected a keyring of at most ${KEYRING_KEYS_MAX} keys, got one more: start a new database from a backup`,
      );
    }
    const key = new Uint8Array(KEY_BYTES);
    random.fill(key);
    const clear: ClearKey = { id, createdAtMs, key };
    this.#wrapped.push(this.#master.wrap(clear, random));
    this.#keys.push(clear);
    return { id, key };
  }

  /**
   * Wraps all keys with another master key (32 bytes), under a new salt and new nonces. Files stay
   * as they are. The ring's own file opens with the old master key until `encode()` replaces it.
   * Throws `CRYPTO_BAD_OPTION`.
   */
  rewrap(newMasterKey: Uint8Array, random: RandomSource): void {
    this.#checkUsable();
    checkLength('a master key', newMasterKey, KEY_BYTES);
    const salt = newSalt(random);
    const master = new MasterKey(newMasterKey, salt, this.databaseUuid);
    const wrapped = this.#keys.map((each) => master.wrap(each, random));
    this.#master.dispose();
    this.#master = master;
    this.#salt = salt;
    this.#wrapped = wrapped;
  }

  /** The bytes of the ring's file: 208, and 72 more for each key beyond the first. */
  encode(): Uint8Array<ArrayBuffer> {
    this.#checkUsable();
    return encodeKeyring(
      {
        databaseUuid: this.databaseUuid,
        salt: this.#salt,
        check: this.#master.check,
        entries: this.#wrapped,
      },
      (bytes) => this.#master.mac(bytes),
    );
  }

  /** Zeroes every key. Every later use throws `CRYPTO_DISPOSED`. */
  dispose(): void {
    for (const { key } of this.#keys) key.fill(0);
    this.#keys = [];
    this.#master.dispose();
    this.#disposed = true;
  }

  #checkUsable(): void {
    if (!this.#disposed) return;
    throw new CryptoError(
      'CRYPTO_DISPOSED',
      'expected a keyring in use, got one that was disposed of: decode it again',
    );
  }
}

function newSalt(random: RandomSource): Uint8Array {
  const salt = new Uint8Array(FILE_SALT_BYTES);
  random.fill(salt);
  return salt;
}
