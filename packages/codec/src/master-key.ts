/**
 * What a master key does for one keyring: it wraps data keys, authenticates the ring, and proves
 * that it is the ring's.
 *
 *     wrap key, mac key, check = HKDF-SHA256(master key, salt of the ring, one purpose each)
 *     wrapped key              = AES-256-GCM(wrap key, random nonce, id | created at | database)
 *
 * The master key itself is not kept: its three descendants are, until `dispose` zeroes them.
 */
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { deriveFileKey, KEY_BYTES, TAG_BYTES } from './aead.js';
import { CryptoError } from './crypto-error.js';
import { CHECK_BYTES, WRAP_NONCE_BYTES, type WrappedKey } from './keyring-format.js';
import { UUID_BYTES } from './uuid.js';

const CIPHER = 'aes-256-gcm';
const AUTH_TAG = { authTagLength: TAG_BYTES };

/** Where random bytes come from: the randomness of `@nendb/vfs`, for instance. */
export interface RandomSource {
  /** Fills `target` with random bytes fit for keys. */
  fill(target: Uint8Array): void;
}

/** A data key that is not wrapped. */
export interface ClearKey {
  readonly id: number;
  readonly createdAtMs: number;
  readonly key: Uint8Array;
}

export class MasterKey {
  readonly #wrapKey: Uint8Array;
  readonly #macKey: Uint8Array;
  readonly #check: Uint8Array;
  readonly #databaseUuid: Uint8Array;

  /** `masterKey` and `salt` have 32 bytes. Throws `CRYPTO_BAD_OPTION`. */
  constructor(masterKey: Uint8Array, salt: Uint8Array, databaseUuid: Uint8Array) {
    this.#wrapKey = deriveFileKey(masterKey, salt, 'nendb keyring wrap');
    this.#macKey = deriveFileKey(masterKey, salt, 'nendb keyring mac');
    this.#check = deriveFileKey(masterKey, salt, 'nendb keyring check').subarray(0, CHECK_BYTES);
    this.#databaseUuid = databaseUuid;
  }

  /** What a ring keeps to know its master key by. */
  get check(): Uint8Array {
    return this.#check;
  }

  fits(check: Uint8Array): boolean {
    return timingSafeEqual(this.#check, check);
  }

  mac(bytes: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#macKey).update(bytes).digest();
  }

  authenticates(bytes: Uint8Array, mac: Uint8Array): boolean {
    return timingSafeEqual(this.mac(bytes), mac);
  }

  wrap({ id, createdAtMs, key }: ClearKey, random: RandomSource): WrappedKey {
    const nonce = new Uint8Array(WRAP_NONCE_BYTES);
    random.fill(nonce);
    const cipher = createCipheriv(CIPHER, this.#wrapKey, nonce, AUTH_TAG);
    cipher.setAAD(this.#associated(id, createdAtMs));
    const wrapped = cipher.update(key);
    cipher.final();
    return { id, createdAtMs, nonce, wrapped, tag: cipher.getAuthTag() };
  }

  /** Throws `CRYPTO_BAD_TAG`. */
  unwrap({ id, createdAtMs, nonce, wrapped, tag }: WrappedKey): ClearKey {
    const decipher = createDecipheriv(CIPHER, this.#wrapKey, nonce, AUTH_TAG);
    decipher.setAAD(this.#associated(id, createdAtMs));
    decipher.setAuthTag(tag);
    const clear = decipher.update(wrapped);
    const key = new Uint8Array(KEY_BYTES);
    key.set(clear);
    clear.fill(0);
    try {
      decipher.final();
    } catch {
      key.fill(0);
      throw new CryptoError(
        'CRYPTO_BAD_TAG',
        `expected key ${id} to be wrapped by this master key, but its tag does not fit: the keyring was tampered with, restore it from a backup`,
      );
    }
    return { id, createdAtMs, key };
  }

  dispose(): void {
    this.#wrapKey.fill(0);
    this.#macKey.fill(0);
  }

  #associated(id: number, createdAtMs: number): Uint8Array {
    const bytes = Buffer.alloc(12 + UUID_BYTES);
    bytes.writeUInt32LE(id, 0);
    bytes.writeBigUInt64LE(BigInt(createdAtMs), 4);
    bytes.set(this.#databaseUuid, 12);
    return bytes;
  }
}
