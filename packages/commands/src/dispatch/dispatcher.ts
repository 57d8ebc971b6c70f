/**
 * One request from its bytes to its reply.
 *
 *     look up ─► arity ─► auth ─► state ─► MULTI? ─yes─► queue
 *                                           │no
 *                                           ▼
 *                          prepare keys ─► begin ─► handler ─► commit ─► reply written
 *
 * Invariants
 *  1. A data command runs in one engine transaction; EXEC runs all its commands in one (R8).
 *  2. `dispatch` returns `true` when the reply has been written, else a promise of that. It does not
 *     wait for the log: whoever sends the reply away waits for the barrier (R9).
 *  3. A handler that throws leaves no trace: the transaction is aborted, its half reply taken back.
 *  4. One request of a session at a time: the caller awaits the promise before the next.
 *
 * Single-threaded. Hot: no string, closure or promise where the keys are ready.
 */
import { EngineError, type EngineView, type WatchView } from '@nendb/engine';
import type { ReplyWriter } from '@nendb/resp';
import {
  engineReply,
  execRefused,
  NO_AUTH,
  NOT_IN_TRANSACTION,
  oneLine,
  queueTooLong,
  unknownCommand,
  unknownSubcommand,
  writeError,
  wrongArity,
} from '../errors.js';
import type { Host } from '../host.js';
import { QUEUE_BYTES_MAX } from '../limits.js';
import { Observations } from '../observe/observations.js';
import type { Session } from '../session.js';
import { commandTable } from '../table/families.js';
import type { Command } from '../table/row.js';
import type { CommandTable } from '../table/table.js';
import { AccessTimes } from './access-times.js';
import { Call, type Environment, type WriteRefusal } from './call.js';
import { Counters } from './counters.js';
import { Pauses } from './pauses.js';
import { KeyPreparer } from './preparer.js';
import { QueueReader, type TransactionQueue } from './queue.js';
import { OwnedRequest, quote, quoteAll, type Request } from './request.js';

export interface DispatcherOptions {
  engine: EngineView;
  host: Host;
  /** Bytes that one MULTI may queue. Default 256 MiB. */
  queueBytesMax?: number;
  /** Whether DEBUG runs. Default false. */
  debugAllowed?: boolean;
}

export class Dispatcher implements Environment {
  readonly engine: EngineView;
  readonly host: Host;
  readonly table: CommandTable = commandTable;
  readonly counters = new Counters(commandTable.size);
  readonly accessTimes: AccessTimes;
  readonly observations: Observations;
  readonly pauses: Pauses;
  readonly debugAllowed: boolean;
  readonly #call: Call;
  readonly #keys: KeyPreparer;
  readonly #reader = new QueueReader();
  readonly #queueBytesMax: number;
  /** Why writes are refused, once the engine has said so: it never takes that back. */
  #readOnlyReply: string | undefined;
  /** The last refusal for lack of room, and the LSN then: a larger one says that a write succeeded. */
  #refusedForSpace: { refusal: WriteRefusal; lsn: number } | undefined;
  /** What a commit threw besides refusals: nobody may take it for a defect of a handler. */
  #fatal: unknown;

  constructor(options: DispatcherOptions) {
    this.engine = options.engine;
    this.host = options.host;
    this.accessTimes = new AccessTimes(options.engine.nowMs());
    this.observations = new Observations(commandTable.size, options.host);
    this.pauses = new Pauses(options.engine);
    this.debugAllowed = options.debugAllowed ?? false;
    this.#queueBytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX;
    this.#call = new Call(this);
    this.#keys = new KeyPreparer(options.engine, this.table);
  }

  /**
   * Runs one request of `session` and writes its reply. `request` may be the connection's parser: it
   * is copied where it has to outlive this call.
   *
   * Returns `true` when done, or a promise that resolves when done and rejects only where the
   * database can go on no longer.
   */
  dispatch(session: Session, request: Request, reply: ReplyWriter): true | Promise<void> {
    if (session.replies === 'on') return this.#dispatch(session, request, reply);
    return this.#dispatchSilently(session, request, reply);
  }

  /** After CLIENT REPLY OFF or SKIP: runs it and takes the reply back, unless it was to begin again. */
  #dispatchSilently(session: Session, request: Request, reply: ReplyWriter): true | Promise<void> {
    const start = reply.length;
    const wasOff = session.replies === 'off';
    if (!wasOff) session.replies = 'on';
    const done = this.#dispatch(session, request, reply);
    const takeBack = () => {
      if (!wasOff || session.replies === 'off') reply.rewind(start);
    };
    if (done !== true) return done.then(takeBack);
    takeBack();
    return true;
  }

  #dispatch(session: Session, request: Request, reply: ReplyWriter): true | Promise<void> {
    reply.protocol = session.protocol;
    this.counters.commandsProcessed++;
    const command = this.#lookUp(session, request, reply);
    if (command === undefined) return true;
    const refusal = this.#refusal(session, command, request);
    if (refusal !== undefined) {
      this.counters.rejected[command.index]++;
      this.#refuse(session, reply, command, refusal);
      return true;
    }
    if (session.queue !== undefined && command.queued) {
      this.#enqueue(session, command, request, reply);
      return true;
    }
    if (this.pauses.kind !== 'none' && this.#isPaused(session, command)) {
      return this.#runAfterPause(session, OwnedRequest.copyOf(request), reply);
    }
    session.lastCommand = command;
    if (command.firstKey !== 0 && !this.engine.alwaysReady) {
      const ready = this.#keys.prepare(session.database, command, request);
      if (ready !== true) {
        return this.#runWhenReady(ready, session, command, OwnedRequest.copyOf(request), reply);
      }
    }
    return this.#run(session, command, request, reply);
  }

  /** Whether CLIENT PAUSE holds it up. What ends the pause is never held up. */
  #isPaused({ queue }: Session, command: Command): boolean {
    if (command.fullName === 'client|unpause') return false;
    const writes = command.isWrite || (command.spec.name === 'exec' && queue?.writes === true);
    return writes || this.pauses.kind === 'all';
  }

  async #runAfterPause(session: Session, request: Request, reply: ReplyWriter): Promise<void> {
    this.counters.commandsProcessed--;
    await this.pauses.over();
    if (session.ended) return;
    const done = this.#dispatch(session, request, reply);
    if (done !== true) await done;
  }

  get writeRefusal(): WriteRefusal | undefined {
    const last = this.#refusedForSpace;
    return last !== undefined && this.engine.appliedLsn === last.lsn ? last.refusal : undefined;
  }

  /**
   * Runs what `session` has queued, as one transaction, unless what it watches has changed: then the
   * reply is null. The queue is there and not failed. What was queued and watched is taken out of
   * the session: should its connection end while keys are loaded, the watch has to hold on.
   */
  execute(session: Session, reply: ReplyWriter): true | Promise<void> {
    const { queue, watch } = session;
    session.queue = undefined;
    session.watch = undefined;
    if (queue === undefined) throw new Error('expected a queue to execute, the session has none');
    if (queue.writes && this.#readOnlyReply !== undefined) {
      watch?.end();
      this.#error(reply, execRefused(this.#readOnlyReply));
      return true;
    }
    const exec = this.#call.command;
    const ready = this.engine.alwaysReady || this.#keys.prepareAll(session.database, queue);
    if (ready === true) {
      this.#executeNow(session, exec, queue, watch, reply);
      return true;
    }
    return this.#executeWhenReady(ready, session, exec, queue, watch, reply);
  }

  /** The command or subcommand that is named, or `undefined` with the error replied. */
  #lookUp(session: Session, request: Request, reply: ReplyWriter): Command | undefined {
    const { bytes, starts, ends } = request;
    const command = this.table.find(bytes, starts[0], ends[0]);
    if (command === undefined) {
      const [name, ...args] = quoteAll(request);
      this.#refuse(session, reply, command, unknownCommand(name, args));
      return undefined;
    }
    if (command.subcommands.length === 0 || request.argc < 2) return command;
    const sub = this.table.findSubcommand(command, bytes, starts[1], ends[1]);
    if (sub !== undefined) return sub;
    this.counters.rejected[command.index]++;
    this.#refuse(session, reply, command, unknownSubcommand(command.fullName, quote(request, 1)));
    return undefined;
  }

  /** Why the command may not run now, or `undefined`. */
  #refusal(session: Session, command: Command, request: Request): string | undefined {
    if (!command.accepts(request.argc) || command.handler === undefined) {
      return wrongArity(command.fullName);
    }
    if (!session.authenticated && command.needsAuth) return NO_AUTH;
    if (session.queue !== undefined && !command.allowedInMulti) return NOT_IN_TRANSACTION;
    if (command.isWrite && this.#readOnlyReply !== undefined) return this.#readOnlyReply;
    return undefined;
  }

  /** Replies an error before the command ran; a transaction being queued cannot succeed any more. */
  #refuse(session: Session, reply: ReplyWriter, command: Command | undefined, text: string): void {
    if (command?.spec.name === 'exec') {
      // Redis discards a transaction here, whether or not there is one.
      session.discard();
      this.#error(reply, execRefused(text));
      return;
    }
    session.queue?.fail();
    this.#error(reply, text);
  }

  #enqueue(session: Session, command: Command, request: Request, reply: ReplyWriter): void {
    const queue = session.queue;
    if (queue === undefined) return;
    if (queue.failed || queue.add(command, request, this.#queueBytesMax)) {
      reply.simple('QUEUED');
      return;
    }
    queue.fail();
    this.counters.rejected[command.index]++;
    this.#error(reply, queueTooLong(this.#queueBytesMax));
  }

  async #runWhenReady(
    ready: Promise<void>,
    session: Session,
    command: Command,
    request: OwnedRequest,
    reply: ReplyWriter,
  ): Promise<void> {
    let pending: true | Promise<void> = ready;
    try {
      while (pending !== true) {
        await pending;
        pending = this.#keys.prepare(session.database, command, request);
      }
    } catch (error) {
      this.#broken(reply, reply.length, command, error);
      return;
    }
    const done = this.#run(session, command, request, reply);
    if (done !== true) await done;
  }

  async #executeWhenReady(
    ready: Promise<void>,
    session: Session,
    exec: Command,
    queue: TransactionQueue,
    watch: WatchView | undefined,
    reply: ReplyWriter,
  ): Promise<void> {
    let pending: true | Promise<void> = ready;
    try {
      while (pending !== true) {
        await pending;
        pending = this.#keys.prepareAll(session.database, queue);
      }
    } catch (error) {
      watch?.end();
      throw error;
    }
    this.#executeNow(session, exec, queue, watch, reply);
  }

  #run(
    session: Session,
    command: Command,
    request: Request,
    reply: ReplyWriter,
  ): true | Promise<void> {
    const call = this.#call;
    call.fill(session, command, request, reply);
    this.counters.calls[command.index]++;
    const startMs = this.observations.begin();
    if (command.usesData) {
      this.#runInTransaction(call, command, reply);
    } else {
      const done = this.#runOutside(call, command, reply);
      // One that waits holds nobody up, and is not slow for it.
      if (done !== true) return done;
    }
    this.observations.record(command, request, session, startMs);
    return true;
  }

  #runOutside(call: Call, command: Command, reply: ReplyWriter): true | Promise<void> {
    const start = reply.length;
    try {
      const done = command.handler?.(call);
      if (done === undefined) {
        if (call.failed) this.counters.failed[command.index]++;
        return true;
      }
      return this.#settle(done, command, reply);
    } catch (error) {
      this.#broken(reply, start, command, error);
      return true;
    }
  }

  #runInTransaction(call: Call, command: Command, reply: ReplyWriter): void {
    const start = reply.length;
    try {
      call.transaction = this.engine.begin();
      command.handler?.(call);
    } catch (error) {
      this.engine.abort();
      this.#broken(reply, start, command, error);
      return;
    }
    if (call.failed) this.counters.failed[command.index]++;
    this.#commit(reply, start, command);
  }

  /** In one turn from the look at what is watched to the commit. */
  #executeNow(
    session: Session,
    exec: Command,
    queue: TransactionQueue,
    watch: WatchView | undefined,
    reply: ReplyWriter,
  ): void {
    const call = this.#call;
    const reader = this.#reader;
    const start = reply.length;
    let command = exec;
    try {
      const transaction = this.engine.begin();
      // Asked when the transaction has its time: what lives for it has not ended for the watch.
      const changed = watch?.changed() === true;
      watch?.end();
      if (changed) {
        this.engine.abort();
        reply.nullArray();
        return;
      }
      reply.array(queue.count);
      for (reader.open(queue); reader.next(); ) {
        command = this.table.byIndex[reader.commandIndex];
        call.fill(session, command, reader, reply);
        call.transaction = transaction;
        call.queued = true;
        this.counters.calls[command.index]++;
        const startMs = this.observations.begin();
        command.handler?.(call);
        if (call.failed) this.counters.failed[command.index]++;
        this.observations.record(command, reader, session, startMs);
      }
    } catch (error) {
      watch?.end();
      reader.close();
      this.engine.abort();
      this.#broken(reply, start, command, error);
      return;
    }
    // The object is EXEC's again: what failed inside is counted where it failed.
    call.failed = false;
    this.#commit(reply, start, undefined);
  }

  /** Commits; where the engine refuses, its reason takes the place of the reply. */
  #commit(reply: ReplyWriter, start: number, command: Command | undefined): void {
    try {
      this.engine.commit();
    } catch (error) {
      if (!(error instanceof EngineError)) {
        this.#fatal = error;
        throw error;
      }
      const text = engineReply(error);
      if (error.code === 'ENGINE_READ_ONLY') this.#readOnlyReply = text;
      if (error.code === 'ENGINE_NO_SPACE') this.#noteNoSpace(text);
      reply.rewind(start);
      if (command !== undefined) this.counters.failed[command.index]++;
      this.#error(reply, text);
    }
  }

  #noteNoSpace(reply: string): void {
    const reason = Buffer.from(reply, 'latin1').toString();
    const refusal = { atMs: Math.floor(this.host.wallMs()), reason };
    this.#refusedForSpace = { refusal, lsn: this.engine.appliedLsn };
  }

  /** A handler that awaits writes its reply at its end, so that there is no half one to take back. */
  async #settle(done: Promise<void>, command: Command, reply: ReplyWriter): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.#broken(reply, reply.length, command, error);
    }
  }

  /** A handler or its keys failed: the engine's reason is a reply, a defect is told to the host too. */
  #broken(reply: ReplyWriter, start: number, command: Command, error: unknown): void {
    if (this.#fatal !== undefined && error === this.#fatal) throw error;
    reply.rewind(start);
    this.counters.failed[command.index]++;
    if (error instanceof EngineError) {
      this.#error(reply, engineReply(error));
      return;
    }
    const cause = error instanceof Error ? error : new Error(String(error));
    this.host.report(cause);
    this.#error(reply, `ERR internal error in '${command.fullName}': ${oneLine(cause.message)}`);
  }

  #error(reply: ReplyWriter, text: string): void {
    this.counters.countError(text);
    writeError(reply, text);
  }
}
