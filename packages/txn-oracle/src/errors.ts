/** What the oracle refuses. `code` is stable; the message says what to do. */
export type OracleErrorCode =
  /** What the transaction has read was changed by others: it has ended, run it again. */
  | 'TXN_CONFLICT'
  /** It has been committed or aborted. */
  | 'TXN_CLOSED'
  /** A write in a transaction that was begun to read. */
  | 'TXN_READ_ONLY'
  /** More writes than one transaction may have. */
  | 'TXN_TOO_LARGE'
  /** More transactions than may be open. */
  | 'TXN_TOO_MANY'
  /** A timestamp that is not above the last one. */
  | 'TXN_BAD_TIMESTAMP'
  | 'TXN_BAD_OPTION';

export class OracleError extends Error {
  override readonly name = 'OracleError';
  constructor(
    readonly code: OracleErrorCode,
    message: string,
  ) {
    super(message);
  }
}
