/** Why bytes were refused. Stable: programs may switch on it. */
export type FormatErrorCode =
  /** Another kind of file. */
  | 'FORMAT_BAD_MAGIC'
  /** A newer version, or a feature that this program does not know. */
  | 'FORMAT_TOO_NEW'
  /** The bytes do not match their checksum. */
  | 'FORMAT_BAD_CHECKSUM'
  /** The bytes end too early. */
  | 'FORMAT_TRUNCATED'
  /** A field holds what no writer writes. */
  | 'FORMAT_BAD_VALUE';

/** Bytes that are not what they should be. The message says what was expected and what came. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  constructor(
    readonly code: FormatErrorCode,
    message: string,
  ) {
    super(message);
  }
}
