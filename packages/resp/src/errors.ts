/** What can be wrong with the bytes of a peer. */

/** Stable names of what a request can do wrong; `message` is what Redis answers. */
export type ProtocolErrorCode =
  | 'RESP_INVALID_MULTIBULK_LENGTH'
  | 'RESP_INVALID_BULK_LENGTH'
  | 'RESP_EXPECTED_BULK'
  | 'RESP_TOO_BIG_INLINE'
  | 'RESP_TOO_BIG_MULTIBULK_COUNT'
  | 'RESP_TOO_BIG_BULK_COUNT'
  | 'RESP_TOO_BIG_REQUEST'
  | 'RESP_UNBALANCED_QUOTES'
  | 'RESP_UNAUTHENTICATED_MULTIBULK_LENGTH'
  | 'RESP_UNAUTHENTICATED_BULK_LENGTH'
  | 'RESP_INVALID_REPLY';

/**
 * The stream cannot be understood any further: answer `-ERR ${message}` and close. The texts of
 * requests are Redis's own, since clients and their tests compare them.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: ProtocolErrorCode,
    detail: string,
  ) {
    super(`Protocol error: ${detail}`);
  }
}
