/**
 * Keys as the oracle knows them: database(u8) state(u8) key.
 *
 * The database and not its namespace: a watch is on a key of a database, whatever that names at the
 * moment. The state is whether the key was there when it was watched. With it a change needs one
 * look-up (a key that is created hits those who saw none, any other change those who saw it), and
 * emptying a database is one range.
 */

export const WATCHED_MISSING = 0;
export const WATCHED_PRESENT = 1;
export type WatchedState = typeof WATCHED_MISSING | typeof WATCHED_PRESENT;

const PREFIX_BYTES = 2;

/** Names up to this length are put together in one buffer that is kept, in bytes. */
const SCRATCH_BYTES = 4096;

export class WatchNames {
  /** The name made last is `bytes[0..length]`. */
  bytes = new Uint8Array(SCRATCH_BYTES);
  length = 0;
  readonly #scratch = this.bytes;

  make(database: number, state: WatchedState, key: Uint8Array, from: number, to: number): void {
    this.length = PREFIX_BYTES + to - from;
    this.bytes = this.length <= SCRATCH_BYTES ? this.#scratch : new Uint8Array(this.length);
    this.bytes[0] = database;
    this.bytes[1] = state;
    this.bytes.set(key.subarray(from, to), PREFIX_BYTES);
  }

  /** Lets go of a long name. */
  drop(): void {
    this.bytes = this.#scratch;
  }
}

/** Where the names of a database begin that were watched in this state. */
export function firstName(database: number, state: WatchedState): Uint8Array {
  return Uint8Array.of(database, state);
}

/** Where they end. */
export function endOfNames(database: number, state: WatchedState): Uint8Array {
  return Uint8Array.of(database, state + 1);
}
