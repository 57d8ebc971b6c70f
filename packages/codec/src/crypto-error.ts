/** Why keys and ciphers refuse. Stable: programs may switch on it. */
export type CryptoErrorCode =
  /** Authentication failed: another key, or bytes that were tampered with. */
  | 'CRYPTO_BAD_TAG'
  /** The master key is not the one that the keyring is wrapped with. */
  | 'CRYPTO_WRONG_KEY'
  /** The file names a data key that is not at hand. */
  | 'CRYPTO_UNKNOWN_KEY'
  /** A key, salt, id or option is not what it has to be. */
  | 'CRYPTO_BAD_OPTION'
  /** Sealing would use a nonce a second time: a fault of the program that would betray contents. */
  | 'CRYPTO_NONCE_REUSE'
  /** The secret was given back with `dispose`. */
  | 'CRYPTO_DISPOSED';

/**
 * A secret that does not fit. Apart from `FormatError` on purpose: damaged bytes fail their checksum
 * first, so this says that the key is wrong or that somebody changed bytes and checksum.
 */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  constructor(
    readonly code: CryptoErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
