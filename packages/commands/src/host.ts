/**
 * What commands need of the program around them: the server, or an embedding process.
 *
 * The command layer touches no clock, socket, process or configuration itself. A host answers from
 * memory; only `status` and `shutdown` may take time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Session } from './session.js';

/** Lines of an INFO section: name and value, in order. */
export type InfoFields = Readonly<Record<string, string | number>>;

/** What SHUTDOWN was told: take a snapshot first, do not, or as the host likes. */
export type ShutdownMode = 'default' | 'save' | 'nosave';

export interface SessionBuffers {
  /** Received and not yet parsed. */
  queryBytes: number;
  /** Replies that have not left. */
  outputBytes: number;
}

export interface Host {
  /** 40 hexadecimal digits, new with each start. */
  readonly runId: string;
  /** Wall clock at the start, in ms since 1970. */
  readonly startedAtMs: number;
  /** Whether a client must AUTH before other commands. */
  readonly passwordRequired: boolean;
  /** Wall clock, in ms since 1970; fractions are microseconds. */
  wallMs(): number;
  /** Whether `password` is the right one; takes the same time either way (`PasswordDigest`). */
  checkPassword(password: Uint8Array): boolean;
  /** Parameters as CONFIG GET names them, with their values. */
  configuration(): ReadonlyMap<string, string>;
  /** All connected sessions. */
  sessions(): Iterable<Session>;
  buffersOf(session: Session): SessionBuffers;
  /**
   * What the host knows of an INFO section: `server`, `clients`, `memory`, `stats`, `cpu`, ... Its
   * fields replace those of the same name and follow the others.
   */
  info(section: string): InfoFields;
  /** CONFIG RESETSTAT: sets the host's own counters back. */
  resetStatistics(): void;
  /** The document that NENDB STATUS replies as JSON. */
  status(): object | Promise<object>;
  /**
   * Stops the server. Does not resolve where the process ends; rejects where it could not stop
   * (a snapshot that was asked for failed), and then all goes on.
   */
  shutdown(mode: ShutdownMode): Promise<void>;
  /** Told of errors that no client caused, for the log. */
  report(error: Error): void;
}

/**
 * A password that can be checked and not read back. SHA-256 makes both sides equally long, so that
 * the comparison takes the same time for every wrong password.
 */
export class PasswordDigest {
  readonly #digest: Buffer;

  constructor(password: string | Uint8Array) {
    this.#digest = sha256(password);
  }

  matches(password: Uint8Array): boolean {
    return timingSafeEqual(this.#digest, sha256(password));
  }
}

function sha256(bytes: string | Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
