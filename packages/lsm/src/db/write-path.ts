/**
 * Commits: into the log, then into the memtable, in one turn.
 *
 *     put ─▶ record ─▶ log.submit = sequence ─▶ memtable ─▶ transactions that read the key are marked
 *                                                   └─ full ─▶ frozen, flushed
 *
 * Invariants
 *  1. Everything that can refuse a commit comes before `log.submit`; behind it nothing fails (R7).
 *  2. Commits are applied in the order of their sequence numbers, each wholly, in the turn of its submission:
 *     no reader sees half of one.
 *  3. A commit is acknowledged when the log has made it durable under the policy.
 *
 * Hot: a put encodes into one buffer that is used again, copies key and value into the memtable, and shares the
 * promise of its turn. Where commits come one after the other, each awaited, and no sync is promised, the turn is not
 * waited for: the log is written in the call. Whether the next one is such is told by a promise job: one that comes
 * before that job is of a program that did not wait.
 */
import { putUvarint, UVARINT_BYTES_MAX } from '@nendb/codec';
import { EntryKind } from '../entry.js';
import { LsmError } from '../errors.js';
import { type Batch, type BatchTarget, checkKey, checkValue, OpKind } from '../log/batch.js';
import { CommitGate } from '../log/commit-gate.js';
import type { OwnLog } from '../log/own-log.js';
import { bad } from '../options.js';
import type { Core } from './core.js';

const RECORD_BYTES_MIN = 4096;
/** A longer record's buffer is given back. */
const RECORD_BYTES_KEPT = 1024 * 1024;
/** After so many commits in a row without a turn of the event loop others get theirs. */
const LONE_STREAK_MAX = 64;
const DONE = Promise.resolve();

export interface WritePathOwner {
  /** The memtable is full. */
  onFull(): void;
  /** How long writers of so many bytes are to be held back, in ms. */
  delayMs(bytes: number): number;
}

export class WritePath {
  readonly #core: Core;
  readonly #owner: WritePathOwner;
  readonly #gate: CommitGate;
  readonly #notes: BatchTarget;
  readonly #loneAllowed: boolean;
  #record = new Uint8Array(RECORD_BYTES_MIN);
  /** Whether the next commit is expected to come alone. */
  #lone = false;
  #loneStreak = 0;
  readonly #expectLone = (): void => {
    this.#lone = true;
  };

  constructor(core: Core, owner: WritePathOwner) {
    this.#core = core;
    this.#owner = owner;
    const { timers } = core.vfs;
    this.#loneAllowed = core.options.sync !== 'always';
    const gateOwner = {
      timers,
      delayMs: (bytes: number) => owner.delayMs(bytes),
      onLone: () => {
        this.#loneStreak = 0;
        if (this.#loneAllowed) DONE.then(this.#expectLone);
      },
    };
    this.#gate = new CommitGate(gateOwner, core.log?.durableSequence ?? 0);
    const { oracle } = core;
    this.#notes = {
      put: (bytes, from, to) => oracle.noteWrite(bytes, from, to),
      delete: (bytes, from, to) => oracle.noteWrite(bytes, from, to),
      deleteRange: (gte, lt) => oracle.noteRange(gte, lt),
    };
  }

  /** The log covers everything up to `sequence`. */
  durable(sequence: number): void {
    this.#gate.durable(sequence);
  }

  /** Writers that are held back may go on, where the pacer lets them. */
  letGo(): void {
    this.#gate.letGo();
  }

  /** No writer is held back any more. */
  close(): void {
    this.#gate.close();
  }

  /** The log has failed. */
  fail(error: LsmError): void {
    this.#gate.fail(error);
  }

  /** `kind`: put or delete. Resolves when the commit is durable; throws before anything has happened. */
  write(kind: OpKind, key: Uint8Array, value: Uint8Array, expireAtMs: number): Promise<void> {
    const log = this.#ownLog();
    const length = this.#encode(kind, key, value, expireAtMs);
    const lone = this.#lone && this.#owner.delayMs(length) === 0;
    this.#lone = false;
    const sequence = lone ? log.submitSync(this.#record, length) : log.submit(this.#record, length);
    this.#apply(sequence, kind, key, value, expireAtMs);
    this.#committed(sequence, length);
    if (!lone) return this.#gate.join(sequence, length);
    // The last of the streak goes without a job: the one after it waits for a turn.
    if (++this.#loneStreak < LONE_STREAK_MAX) DONE.then(this.#expectLone);
    return DONE;
  }

  /** The same, waiting in the call. */
  writeSync(kind: OpKind, key: Uint8Array, value: Uint8Array, expireAtMs: number): void {
    const log = this.#ownLog();
    const length = this.#encode(kind, key, value, expireAtMs);
    const sequence = log.submitSync(this.#record, length);
    this.#apply(sequence, kind, key, value, expireAtMs);
    this.#committed(sequence, length);
  }

  /** Commits all changes of `batch`, of which there is at least one. */
  writeBatch(batch: Batch): Promise<void> {
    const sequence = this.commitBatch(batch);
    this.#note(batch);
    return this.#gate.join(sequence, batch.bytes);
  }

  /** Commits a transaction's changes; the oracle has been told of them. Returns the sequence number. */
  commitBatch(batch: Batch, official?: (sequence: number) => void): number {
    const log = this.#ownLog();
    const sequence = log.submit(batch.buffer, batch.bytes);
    batch.apply(this.#core.memtables.at(sequence));
    this.#core.sequence = sequence;
    if (official === undefined) this.#core.oracle.advance(sequence);
    else official(sequence);
    this.#counted(batch.bytes);
    return sequence;
  }

  /** Resolves when the commit at `sequence`, the newest one, is durable. */
  whenDurable(sequence: number, bytes: number): Promise<void> {
    return this.#gate.join(sequence, bytes);
  }

  /** Applies what a log that somebody else keeps has committed at `sequence`. */
  apply(sequence: number, batch: Batch): void {
    const core = this.#core;
    core.checkWritable();
    if (core.options.externalLog === undefined) {
      throw new LsmError(
        'LSM_WRONG_LOG',
        'expected a tree opened with an external log, got one with its own: use put, delete and batch',
      );
    }
    if (!(Number.isSafeInteger(sequence) && sequence > core.sequence)) {
      throw bad('sequence', `an integer above ${core.sequence}, the last one applied`, sequence);
    }
    // Before, not after: what the owner says of the frozen memtable is what it says of all commits up to here.
    if (core.memtables.isFull) this.#owner.onFull();
    batch.apply(core.memtables.at(sequence));
    core.sequence = sequence;
    core.oracle.advance(sequence);
    this.#note(batch);
    core.counters.userBytes += batch.bytes;
  }

  #ownLog(): OwnLog {
    this.#core.checkWritable();
    const { log } = this.#core;
    if (log !== undefined) return log;
    throw new LsmError(
      'LSM_WRONG_LOG',
      'expected a tree with its own log, got one opened with an external log: commit there, and apply(sequence, batch) here',
    );
  }

  #apply(
    sequence: number,
    kind: OpKind,
    key: Uint8Array,
    value: Uint8Array,
    expireAtMs: number,
  ): void {
    const entryKind = kind === OpKind.delete ? EntryKind.delete : EntryKind.put;
    this.#core.memtables.active.add(
      sequence,
      entryKind,
      key,
      0,
      key.length,
      value,
      0,
      value.length,
      expireAtMs,
    );
    const { oracle } = this.#core;
    oracle.advance(sequence);
    if (oracle.hasReaders) oracle.noteWrite(key);
  }

  #committed(sequence: number, bytes: number): void {
    this.#core.sequence = sequence;
    this.#counted(bytes);
  }

  #counted(bytes: number): void {
    const { counters, memtables } = this.#core;
    counters.userBytes += bytes;
    counters.logBytes += bytes;
    if (memtables.isFull) this.#owner.onFull();
  }

  #note(batch: Batch): void {
    if (this.#core.oracle.hasReaders) batch.apply(this.#notes);
  }

  /** The record of one change, in `#record`; returns its length. */
  #encode(kind: OpKind, key: Uint8Array, value: Uint8Array, expireAtMs: number): number {
    checkKey(key);
    checkValue(value);
    const room = key.length + value.length + 1 + 3 * UVARINT_BYTES_MAX;
    if (room > this.#record.length || this.#record.length > RECORD_BYTES_KEPT) {
      this.#record = new Uint8Array(Math.max(room, RECORD_BYTES_MIN));
    }
    const record = this.#record;
    const expires = expireAtMs !== 0;
    record[0] = kind === OpKind.put && expires ? OpKind.putExpiring : kind;
    let at = putUvarint(record, 1, key.length);
    copy(record, at, key);
    at += key.length;
    if (kind === OpKind.delete) return at;
    if (expires) at = putUvarint(record, at, expireAtMs);
    at = putUvarint(record, at, value.length);
    copy(record, at, value);
    return at + value.length;
  }
}

/** Short byte strings in a loop: a call of `set` costs more than copying so few bytes. */
const COPY_LOOP_BYTES_MAX = 64;

function copy(target: Uint8Array, at: number, source: Uint8Array): void {
  if (source.length > COPY_LOOP_BYTES_MAX) target.set(source, at);
  else for (let i = 0; i < source.length; i++) target[at + i] = source[i];
}
