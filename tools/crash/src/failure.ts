/** What a server can be found guilty of. */
export type CrashCode =
  /** An acknowledged write is not there. */
  | 'CRASH_LOST'
  /** Something is there that nobody sent, or is not what was sent. */
  | 'CRASH_INVENTED'
  /** Each key is possible, but not all of them together: half an EXEC, or writes out of order. */
  | 'CRASH_TORN'
  /** A counter that all clients share is outside of what was acknowledged and sent. */
  | 'CRASH_COUNTER'
  /** A reply other than the one that must follow. */
  | 'CRASH_REPLY'
  /** The server did not start, stopped by itself, hung, or did not stop cleanly. */
  | 'CRASH_SERVER';

/** A broken promise of the server. `message` says what was expected and what came. */
export class CrashFailure extends Error {
  override readonly name = 'CrashFailure';

  constructor(
    readonly code: CrashCode,
    message: string,
  ) {
    super(message);
  }
}
