/**
 * What a handler sees of the command being run: arguments as offsets, the session, the transaction,
 * the reply.
 *
 * Hot. One object per dispatcher is filled anew for each command, so that handlers are monomorphic
 * and nothing is allocated. It is valid until the handler returns or first awaits.
 */
import type { EngineView, RecordView, TransactionView, ValueType } from '@nendb/engine';
import type { ReplyWriter } from '@nendb/resp';
import { isWord } from '../bytes/words.js';
import { WRONG_TYPE, writeError } from '../errors.js';
import type { Host } from '../host.js';
import type { Observations } from '../observe/observations.js';
import type { Session } from '../session.js';
import type { Command } from '../table/row.js';
import type { CommandTable } from '../table/table.js';
import type { AccessTimes } from './access-times.js';
import type { Counters } from './counters.js';
import type { Pauses } from './pauses.js';
import { quote, type Request } from './request.js';

/** The last write that the engine refused because the log could not grow. */
export interface WriteRefusal {
  /** Wall clock, in ms since 1970. */
  atMs: number;
  /** The reply it got. */
  reason: string;
}

/** What handlers may use of the dispatcher. */
export interface Environment {
  readonly engine: EngineView;
  readonly host: Host;
  readonly table: CommandTable;
  readonly counters: Counters;
  readonly accessTimes: AccessTimes;
  readonly observations: Observations;
  readonly pauses: Pauses;
  /** Whether DEBUG runs. */
  readonly debugAllowed: boolean;
  /** Why writes are refused for lack of room, until one has succeeded again. */
  readonly writeRefusal: WriteRefusal | undefined;
  /** Runs what the session has queued. */
  execute(session: Session, reply: ReplyWriter): true | Promise<void>;
}

export class Call {
  argc = 0;
  bytes: Uint8Array = new Uint8Array(0);
  starts: Int32Array = new Int32Array(0);
  ends: Int32Array = new Int32Array(0);
  session!: Session;
  reply!: ReplyWriter;
  command!: Command;
  /** The open transaction of a `readonly` or `write` command. */
  transaction!: TransactionView;
  /** Whether EXEC runs it. */
  queued = false;
  /** Whether the handler replied an error. */
  failed = false;

  constructor(readonly environment: Environment) {}

  fill(session: Session, command: Command, request: Request, reply: ReplyWriter): void {
    this.session = session;
    this.command = command;
    this.reply = reply;
    this.argc = request.argc;
    this.bytes = request.bytes;
    this.starts = request.starts;
    this.ends = request.ends;
    this.queued = false;
    this.failed = false;
  }

  /** Argument `index` as text, UTF-8. */
  text(index: number): string {
    return Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.starts[index],
      this.ends[index] - this.starts[index],
    ).toString();
  }

  /** Its beginning as a byte string, for an error text. */
  quote(index: number): string {
    return quote(this, index);
  }

  /** Argument `index` as bytes, borrowed from the request. */
  slice(index: number): Uint8Array {
    return this.bytes.subarray(this.starts[index], this.ends[index]);
  }

  /** Whether argument `index` is this lower-case word, whatever its case. */
  is(index: number, expected: Uint8Array): boolean {
    return isWord(this.bytes, this.starts[index], this.ends[index], expected);
  }

  /** Replies an error, a byte string. Handlers decide on it before they stage anything. */
  fail(text: string): void {
    this.failed = true;
    writeError(this.reply, text);
    this.environment.counters.countError(text);
  }

  ok(): void {
    this.reply.simple('OK');
  }

  /** The key that argument `index` names, or `undefined`; not a use of it. */
  peek(index: number): RecordView | undefined {
    return this.transaction.find(
      this.session.database,
      this.bytes,
      this.starts[index],
      this.ends[index],
    );
  }

  /** The same, as a use of the key. */
  find(index: number): RecordView | undefined {
    this.use(index);
    return this.peek(index);
  }

  /** Notes that the key in argument `index` is used. */
  use(index: number, database = this.session.database): void {
    if (this.session.noTouch) return;
    this.environment.accessTimes.use(
      database,
      this.bytes,
      this.starts[index],
      this.ends[index],
      this.transaction.nowMs,
    );
  }

  /** `find` for a read: counts a hit or a miss. */
  lookUp(index: number): RecordView | undefined {
    return this.#counted(this.find(index));
  }

  /** `peek` for a read: counts a hit or a miss. */
  inspect(index: number): RecordView | undefined {
    return this.#counted(this.peek(index));
  }

  #counted(view: RecordView | undefined): RecordView | undefined {
    if (view === undefined) this.environment.counters.keyspaceMisses++;
    else this.environment.counters.keyspaceHits++;
    return view;
  }

  /** Replies WRONGTYPE and returns true where `view` holds something else than `type`. */
  refusesType(view: RecordView | undefined, type: ValueType): boolean {
    if (view === undefined || view.type === type) return false;
    this.fail(WRONG_TYPE);
    return true;
  }

  /** Sets the key in argument `key` to the bytes of argument `value`. */
  putString(key: number, value: number, expireAtMs: number): void {
    this.use(key);
    this.transaction.putString(
      this.session.database,
      this.bytes,
      this.starts[key],
      this.ends[key],
      this.bytes,
      this.starts[value],
      this.ends[value],
      expireAtMs,
    );
  }

  /** Removes the key in argument `index`; returns whether it was there. */
  remove(index: number): boolean {
    return this.transaction.remove(
      this.session.database,
      this.bytes,
      this.starts[index],
      this.ends[index],
    );
  }

  /** Sets when the key in argument `index` ends, in ms since 1970; 0 for never. */
  setExpiry(index: number, expireAtMs: number): void {
    this.transaction.setExpiry(
      this.session.database,
      this.bytes,
      this.starts[index],
      this.ends[index],
      expireAtMs,
    );
  }

  /** Replies a string's bytes, copied once from the store into the output. */
  value(view: RecordView): void {
    const at = this.reply.reserveBulk(view.length);
    view.copyTo(this.reply.bytes, at);
  }
}
