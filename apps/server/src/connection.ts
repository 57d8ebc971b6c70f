/**
 * One client: bytes in, commands run, replies out.
 *
 *     socket ─data─▶ RequestParser ─request─▶ dispatcher ─reply─▶ ReplyWriter ─turn end─▶ ReplyGate ─▶ socket
 *
 * Invariants
 *  1. Requests run in the order received, one at a time; a command that waits holds back those
 *     behind it and nobody else's.
 *  2. Replies leave in that order, through the gate only (R9).
 *  3. While there is a reason to pause (`Pause`), no request runs and the socket is not read: what
 *     one client has in memory is bounded by its own pace. Only while the answer to a wrong password
 *     is delayed is it read, up to a limit, so that a peer that hangs up is noticed.
 *  4. After `destroy` no byte leaves.
 *
 * All of it runs on the core thread, in turns of the event loop. Hot: GET and SET make no closure,
 * no promise and no string here.
 */
import type { Socket } from 'node:net';
import { type Dispatcher, Session } from '@nendb/commands';
import type { EngineView } from '@nendb/engine';
import { ProtocolError, ReplyWriter, RequestParser } from '@nendb/resp';
import type { AuthBackoff } from './auth-backoff.js';
import type { Client, Clients } from './clients.js';
import type { ServerConfig } from './config.js';
import { isForeignProtocol } from './foreign-protocol.js';
import {
  AUTH_DELAYED_BYTES_MAX,
  KEEP_ALIVE_MS,
  OUTPUT_BEFORE_AUTH_BYTES_MAX,
  REFUSAL_MS,
} from './limits.js';
import type { Logger } from './log.js';
import type { OccasionalLog } from './occasional-log.js';
import { ReplyGate } from './reply-gate.js';
import type { Turn, TurnMember } from './turn.js';

/** What all connections of a server share. */
export interface Shared {
  readonly config: ServerConfig;
  readonly engine: EngineView;
  readonly dispatcher: Dispatcher;
  readonly clients: Clients<Connection>;
  readonly turn: Turn;
  /** Connections that wait for the disk to catch up. */
  readonly pressured: Set<Connection>;
  readonly backoff: AuthBackoff;
  readonly log: Logger;
  /** For what a client can bring about as often as it likes. */
  readonly occasionalLog: OccasionalLog;
  readonly passwordRequired: boolean;
}

/** Why a connection does not go on; bits, since there can be several. */
const Pause = {
  /** A command waits. */
  busy: 1,
  /** The peer does not read its replies. */
  output: 2,
  /** Too much waits for the disk. */
  pressure: 4,
  /** The answer to a wrong password is delayed. */
  guess: 8,
  /** The server stops, or the connection ends. */
  stopping: 16,
} as const;

export class Connection implements Client, TurnMember {
  readonly session: Session;
  readonly #socket: Socket;
  readonly #shared: Shared;
  readonly #parser: RequestParser;
  readonly #reply = new ReplyWriter();
  readonly #gate: ReplyGate;
  readonly #address: string;
  /** Since when the client is to authenticate: its arrival, or a RESET. */
  #strangerSinceMs = performance.now();
  #lastInputMs = this.#strangerSinceMs;
  #pauses = 0;
  #queryBytes = 0;
  /** Bytes at the start of `#reply` that the gate has already: see `#wait`. */
  #heldBytes = 0;
  #peerEnded = false;
  #closed = false;
  /** When the last request had run, once the connection ends. */
  #finishedMs: number | undefined;
  /** While the answer to a wrong password is delayed. */
  #guess: { timer: NodeJS.Timeout; sinceMs: number } | undefined;

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket;
    this.#shared = shared;
    this.#address = socket.remoteAddress ?? '';
    this.#gate = new ReplyGate(socket);
    this.#parser = new RequestParser({
      authenticated: !shared.passwordRequired,
      bulkBytesMax: shared.config.valueBytesMax,
    });
    this.session = new Session({
      id: shared.clients.nextId(),
      authenticated: !shared.passwordRequired,
      address: `${this.#address}:${socket.remotePort}`,
      localAddress: `${socket.localAddress}:${socket.localPort}`,
      connectedAtMs: Date.now(),
    });
    this.session.cut = () => this.destroy('CLIENT KILL');
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get queryBytes(): number {
    return this.#queryBytes;
  }

  get lastInputMs(): number {
    return this.#lastInputMs;
  }

  get outputBytes(): number {
    return this.#reply.length - this.#heldBytes + this.#gate.waitingBytes;
  }

  /** Whether a command waits or a reply has not left. SHUTDOWN waits for us, not we for it. */
  get working(): boolean {
    const waits = (this.#pauses & Pause.busy) !== 0;
    return (waits && this.session.lastCommand?.fullName !== 'shutdown') || this.outputBytes > 0;
  }

  overdue(nowMs: number): string | undefined {
    const { config } = this.#shared;
    if (this.#finishedMs !== undefined) {
      const limitMs = this.outputBytes > 0 ? config.requestTimeoutMs : REFUSAL_MS;
      return nowMs - this.#finishedMs > limitMs ? 'ended, and did not hang up' : undefined;
    }
    if (this.#guess !== undefined) return undefined;
    if (!this.session.authenticated && nowMs - this.#strangerSinceMs > config.authTimeoutMs) {
      return 'no password in time (--auth-timeout-ms)';
    }
    if (this.#pauses !== 0) return undefined;
    const silentMs = nowMs - this.#lastInputMs;
    if (this.#parser.pendingBytes > 0 && silentMs > config.requestTimeoutMs) {
      return 'half a request, and no more of it in time (--request-timeout-ms)';
    }
    if (config.idleTimeoutMs > 0 && silentMs > config.idleTimeoutMs) {
      return 'idle for too long (--idle-timeout-ms)';
    }
    return undefined;
  }

  /** Runs no further request; replies that are due still leave. */
  stop(): void {
    this.#pause(Pause.stopping);
    this.#answerGuess();
  }

  /** Ends the connection once its replies have left. */
  finish(): void {
    if (this.#closed || this.#finishedMs !== undefined) return;
    this.#finishedMs = performance.now();
    this.#pauses |= Pause.stopping;
    this.#shared.turn.join(this);
    // What still comes is read and dropped: unread bytes would turn the close into a reset.
    this.#socket.resume();
  }

  destroy(reason: string): void {
    if (this.#closed) return;
    this.#shared.log.debug({ client: this.session.id, address: this.session.address }, reason);
    this.#pause(Pause.stopping);
    this.#gate.drop();
    this.#forget();
    this.#socket.destroy();
  }

  flush(): boolean {
    if (this.#closed) return false;
    const { engine } = this.#shared;
    // A command that waits may have begun its reply: it is taken when it is whole.
    if ((this.#pauses & (Pause.busy | Pause.guess)) === 0) this.#holdReplies();
    if (this.#finishedMs !== undefined) this.#gate.finish(engine.durableLsn);
    return this.release(engine.durableLsn);
  }

  release(durableLsn: number): boolean {
    this.#gate.release(durableLsn);
    this.#goOnIfRead();
    return this.#gate.holding;
  }

  /** The log has caught up: what paused for it goes on. */
  relieve(): void {
    this.#goOn(Pause.pressure);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#lastInputMs = performance.now();
    this.session.activeAtMs = Date.now();
    this.#shared.clients.counters.inputBytes += chunk.length;
    if (this.#finishedMs !== undefined) return;
    this.#parser.push(chunk);
    this.#run();
    if (this.#guess !== undefined && this.#parser.pendingBytes > AUTH_DELAYED_BYTES_MAX) {
      this.#evict('too many requests behind a wrong password');
    }
  };

  readonly #onDrain = (): void => {
    this.#goOnIfRead();
  };

  readonly #onEnd = (): void => {
    this.#peerEnded = true;
    if (this.#guess !== undefined) this.destroy('hung up after a wrong password');
    else if (this.#pauses === 0) this.finish();
  };

  readonly #onError = (error: Error): void => {
    this.destroy(`socket error: ${error.message}`);
  };

  readonly #onClose = (): void => {
    this.#forget();
  };

  /** Runs what has been received, as far as it may. */
  #run(): void {
    try {
      while (this.#mayRun() && this.#parser.next()) {
        this.#execute();
      }
    } catch (error) {
      this.#fail(error);
    }
    if (this.#closed) return;
    this.#account();
    if (this.outputBytes > 0) this.#shared.turn.join(this);
    if (this.#peerEnded && this.#pauses === 0) this.finish();
  }

  #execute(): void {
    if (isForeignProtocol(this.#parser)) {
      this.#evict('a possible cross-protocol request (POST or Host:)');
      return;
    }
    const failures = this.session.authFailures;
    const pending = this.#shared.dispatcher.dispatch(this.session, this.#parser, this.#reply);
    if (pending !== true) {
      this.#wait(pending, failures);
      return;
    }
    this.#executed(failures);
  }

  /** Looks at what a command did to the session. */
  #executed(failuresBefore: number): void {
    const { session } = this;
    if (session.authFailures > failuresBefore) this.#delayGuess();
    if (session.authenticated !== this.#parser.authenticated) {
      this.#parser.authenticated = session.authenticated;
      if (!session.authenticated) this.#strangerSinceMs = performance.now();
    }
    if (session.closing) this.finish();
  }

  /** A wrong password costs the time of its own connection: the answer, and what follows, wait. */
  #delayGuess(): void {
    const { backoff, passwordRequired } = this.#shared;
    if (!passwordRequired) return;
    const delayMs = backoff.failed(this.#address);
    if (delayMs === 0) return;
    this.#pauses |= Pause.guess;
    const timer = setTimeout(() => this.#answerGuess(), delayMs);
    timer.unref();
    this.#guess = { timer, sinceMs: performance.now() };
    backoff.enter(this.#address, this);
  }

  /** The delay is over: it does not count against the time in which to authenticate. */
  #answerGuess(): void {
    if (this.#guess === undefined) return;
    this.#strangerSinceMs += performance.now() - this.#guess.sinceMs;
    this.#forgetGuess();
    this.#shared.turn.join(this);
    this.#goOn(Pause.guess);
  }

  #forgetGuess(): void {
    if (this.#guess === undefined) return;
    clearTimeout(this.#guess.timer);
    this.#guess = undefined;
    this.#shared.backoff.leave(this.#address, this);
  }

  /**
   * Sends what was replied before the waiting command on its way. The dispatcher may take back the
   * command's reply to the length it saw: a copy of those bytes keeps the length what it was.
   */
  #wait(pending: Promise<void>, failuresBefore: number): void {
    this.#pause(Pause.busy);
    const before = this.#holdReplies();
    this.#reply.raw(before);
    this.#heldBytes = before.length;
    pending.then(
      () => this.#resume(failuresBefore),
      (error) => this.#fail(error),
    );
  }

  /** Hands whole replies to the gate, with the state they saw. */
  #holdReplies(): Uint8Array {
    const bytes = this.#reply.take().subarray(this.#heldBytes);
    this.#heldBytes = 0;
    if (bytes.length > 0) {
      this.#shared.clients.counters.outputBytes += bytes.length;
      this.#gate.hold(bytes, this.#shared.engine.appliedLsn);
    }
    return bytes;
  }

  #resume(failuresBefore: number): void {
    this.#pauses &= ~Pause.busy;
    if (this.#closed) return;
    this.#executed(failuresBefore);
    this.#shared.turn.join(this);
    this.#goOn(0);
  }

  /** Whether the next request may run; pauses where not. */
  #mayRun(): boolean {
    if (this.#pauses !== 0) return false;
    const { config, engine } = this.#shared;
    const outputBytes = this.outputBytes;
    if (outputBytes > config.outputPauseBytes) {
      if (outputBytes > config.outputBufferBytesMax) {
        this.#evict('replies over --output-buffer-bytes-max');
        return false;
      }
      this.#pause(Pause.output);
      return false;
    }
    // Once syncs have failed for good nothing relieves the pressure, and reads go on (R10).
    if (engine.pressure && engine.health().state === 'ok') {
      this.#pause(Pause.pressure);
      this.#shared.pressured.add(this);
      return false;
    }
    if (this.session.authenticated) return true;
    if (outputBytes <= OUTPUT_BEFORE_AUTH_BYTES_MAX) return true;
    this.#evict('too many replies before authentication');
    return false;
  }

  #pause(reason: number): void {
    this.#pauses |= reason;
    this.#socket.pause();
  }

  #goOn(reason: number): void {
    this.#pauses &= ~reason;
    if (this.#pauses !== 0 || this.#closed) return;
    this.#run();
    if (this.#pauses === 0 && !this.#closed) this.#socket.resume();
  }

  #goOnIfRead(): void {
    if ((this.#pauses & Pause.output) === 0) return;
    if (this.outputBytes <= this.#shared.config.outputPauseBytes / 2) this.#goOn(Pause.output);
  }

  #account(): void {
    const before = this.#queryBytes;
    this.#queryBytes = this.#parser.pendingBytes + (this.session.queue?.allocatedBytes ?? 0);
    if (before !== this.#queryBytes) this.#shared.clients.queryChanged(before, this.#queryBytes);
  }

  #evict(reason: string): void {
    this.#shared.clients.counters.evicted++;
    this.#shared.occasionalLog.warn(
      { address: this.session.address },
      `closed a client: ${reason}`,
    );
    this.destroy(reason);
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    if (error instanceof ProtocolError) {
      this.#reply.error(`ERR ${error.message}`);
      this.finish();
      return;
    }
    this.#shared.log.error(
      { err: error, client: this.session.id },
      'a command failed unexpectedly',
    );
    this.destroy('a command failed unexpectedly');
  }

  #forget(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetGuess();
    this.#shared.turn.leave(this);
    this.#shared.pressured.delete(this);
    this.#shared.clients.remove(this, this.#queryBytes);
    this.session.end();
  }
}
