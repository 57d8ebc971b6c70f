/**
 * What the server remembers of one client between its commands.
 *
 * A session belongs to one connection (or one embedded client) and is touched by the core thread
 * only. The connection reads `authenticated` (parser limits), `authFailures` (back-off) and
 * `closing` (after QUIT) when a command has run.
 */
import type { WatchView } from '@nendb/engine';
import type { TransactionQueue } from './dispatch/queue.js';
import type { Command } from './table/row.js';

export interface SessionOptions {
  /** Unique among the sessions of this process; from 1. */
  id: number;
  /** Whether commands may run without AUTH: true where no password is set. */
  authenticated: boolean;
  /** `127.0.0.1:50412`: the peer's address and the one it connected to. */
  address?: string;
  localAddress?: string;
  /** Wall clock, in ms since 1970. */
  connectedAtMs?: number;
  fileDescriptor?: number;
}

export class Session {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly fileDescriptor: number;
  readonly connectedAtMs: number;
  /** Wall clock at the last request, in ms since 1970; kept by the connection. */
  activeAtMs: number;

  /** The selected database. */
  database = 0;
  protocol: 2 | 3 = 2;
  name = '';
  libraryName = '';
  libraryVersion = '';
  user = 'default';
  authenticated: boolean;
  /** Failed AUTHs since the last good one. */
  authFailures = 0;
  /** Between MULTI and EXEC or DISCARD. */
  queue: TransactionQueue | undefined;
  /** From the first WATCH to EXEC, DISCARD, UNWATCH, RESET or the end of the connection. */
  watch: WatchView | undefined;
  /** The command that ran last. */
  lastCommand: Command | undefined;
  noEvict = false;
  noTouch = false;
  /** CLIENT REPLY: whether requests are answered; `skip` is for the next one alone. */
  replies: 'on' | 'off' | 'skip' = 'on';
  /** Cuts the connection; set by who holds it. */
  cut: (() => void) | undefined;
  /** Its connection has ended: a command that still waits for its keys watches nothing any more. */
  ended = false;
  /** Set by QUIT: close once the reply has left. */
  closing = false;

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.authenticated = options.authenticated;
    this.address = options.address ?? '';
    this.localAddress = options.localAddress ?? '';
    this.fileDescriptor = options.fileDescriptor ?? -1;
    this.connectedAtMs = options.connectedAtMs ?? 0;
    this.activeAtMs = this.connectedAtMs;
  }

  /** Called when the connection has ended: lets go of what the session holds. */
  end(): void {
    this.ended = true;
    this.discard();
  }

  /** Forgets what is queued and watched. */
  discard(): void {
    this.queue = undefined;
    this.unwatch();
  }

  unwatch(): void {
    this.watch?.end();
    this.watch = undefined;
  }

  /** CLIENT KILL by another client: nothing more is answered. */
  kill(): void {
    this.closing = true;
    this.cut?.();
  }

  /** RESET: as it was when it connected; `authenticated` says whether no password is needed. */
  reset(authenticated: boolean): void {
    this.database = 0;
    this.protocol = 2;
    this.name = '';
    this.user = 'default';
    this.authenticated = authenticated;
    this.discard();
    this.noEvict = false;
    this.noTouch = false;
    this.replies = 'on';
  }
}
