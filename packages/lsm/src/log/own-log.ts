/**
 * The tree's own log: one record a commit, in the directory `log` beside the tables.
 *
 *     sequence number = base + LSN        base: 0, or where the checkpoint ended that the directory began as
 *
 * Invariants
 *  1. The log reaches from the first sequence number that is not in tables; one that ends before it, or begins
 *     behind it, has lost something and is refused (R3).
 *  2. After the first failed write or sync nothing is accepted any more (R10): `LSM_POISONED`.
 */
import { lsn as asLsn, type Encryption, FormatError } from '@nendb/codec';
import { joinPath, type Vfs } from '@nendb/vfs';
import { type SyncPolicy, Wal, WalError } from '@nendb/wal';
import { corrupt, LsmError, type LsmErrorCode } from '../errors.js';
import { LOG_DIR } from '../manifest/format.js';
import { Batch } from './batch.js';

export interface OwnLogOptions {
  vfs: Vfs;
  dir: string;
  sync: SyncPolicy;
  encryption: Encryption | undefined;
  databaseUuid: Uint8Array | undefined;
  databaseTimeMs: () => number;
  segmentBytesMax: number | undefined;
  preallocateBytes: number | undefined;
  /** Sequence number of LSN 0. */
  base: number;
  /** Whether the log was made before: then it must be there. */
  mustExist: boolean;
  /** Everything up to here is in tables. */
  flushedSequence: number;
  onReplay(sequence: number, batch: Batch): void;
  onDurable(sequence: number): void;
  onFailure(error: LsmError): void;
}

/** What the log's refusals are to users of the tree. */
const CODES: Partial<Record<WalError['code'], LsmErrorCode>> = {
  WAL_LOCKED: 'LSM_LOCKED',
  WAL_WRONG_KEY: 'LSM_WRONG_KEY',
  WAL_NOT_ENCRYPTED: 'LSM_WRONG_KEY',
  WAL_TOO_NEW: 'LSM_TOO_NEW',
  WAL_WRONG_DATABASE: 'LSM_FOREIGN',
  WAL_RECORD_TOO_LARGE: 'LSM_TOO_LARGE',
  WAL_CLOSED: 'LSM_CLOSED',
  WAL_CORRUPT: 'LSM_CORRUPT',
  WAL_MISSING: 'LSM_CORRUPT',
  WAL_MISSING_SEGMENT: 'LSM_CORRUPT',
  WAL_BEHIND: 'LSM_CORRUPT',
  WAL_TRUNCATED_AWAY: 'LSM_CORRUPT',
  WAL_POISONED: 'LSM_POISONED',
  WAL_OUTCOME_UNKNOWN: 'LSM_POISONED',
  WAL_FULL: 'LSM_FULL',
};

/** `error`, as an `LsmError` where it is the log's. */
export function fromLog(error: unknown, dir: string): unknown {
  if (!(error instanceof WalError)) return error;
  const code = CODES[error.code];
  if (code === undefined) return error;
  const file = error.file ?? (code === 'LSM_CORRUPT' ? joinPath(dir, LOG_DIR) : undefined);
  const place = file === undefined ? {} : { file, offset: error.offset ?? 0 };
  return new LsmError(code, error.message, { ...place, cause: error });
}

export class OwnLog {
  readonly databaseUuid: Uint8Array;
  /** Database time of the last record, in ms since 1970; 0 in a new log. */
  readonly recoveredTimeMs: number;
  readonly #wal: Wal;
  readonly #options: OwnLogOptions;

  /** Opens the log and replays what is not in tables. Throws `LsmError`. */
  static async open(options: OwnLogOptions): Promise<OwnLog> {
    const { vfs, dir, base, flushedSequence } = options;
    const path = joinPath(dir, LOG_DIR);
    const batch = new Batch();
    try {
      const { wal, recovery } = await Wal.open({
        dir: path,
        vfs,
        sync: options.sync,
        lock: false,
        mustExist: options.mustExist,
        databaseTimeMs: options.databaseTimeMs,
        ...(options.databaseUuid && { databaseUuid: options.databaseUuid }),
        ...(options.encryption && { encryption: options.encryption }),
        ...(options.segmentBytesMax && { segmentBytesMax: options.segmentBytesMax }),
        ...(options.preallocateBytes === 0
          ? { preallocate: false }
          : options.preallocateBytes && { preallocateBytes: options.preallocateBytes }),
        recover: {
          from: asLsn(flushedSequence - base + 1),
          onRecord(lsn, bytes, start, end) {
            try {
              batch.load(bytes, start, end);
            } catch (error) {
              if (!(error instanceof FormatError)) throw error;
              throw corrupt(path, 0, `record ${lsn} of the log is none: ${error.message}`, error);
            }
            options.onReplay(base + lsn, batch);
          },
        },
        onEvent: (event) => {
          if (event.type !== 'poisoned') return;
          options.onFailure(
            new LsmError(
              'LSM_POISONED',
              `a ${event.failure} of the log in ${path} failed (${event.error.message}): nothing more is written; mend the disk and open the tree again`,
              { cause: event.error },
            ),
          );
        },
      });
      return new OwnLog(wal, options, recovery.databaseUuid, recovery.databaseTimeMs);
    } catch (error) {
      throw fromLog(error, dir);
    }
  }

  private constructor(wal: Wal, options: OwnLogOptions, uuid: Uint8Array, timeMs: number) {
    this.#wal = wal;
    this.#options = options;
    this.databaseUuid = uuid;
    this.recoveredTimeMs = timeMs;
    wal.onDurable((lsn) => options.onDurable(options.base + lsn));
  }

  /** Everything up to here is durable under the policy. */
  get durableSequence(): number {
    return this.#options.base + this.#wal.durableLsn;
  }

  get wal(): Wal {
    return this.#wal;
  }

  /** Appends a commit; returns its sequence number. Throws `LsmError`; then nothing has happened. */
  submit(bytes: Uint8Array, length: number): number {
    try {
      return this.#options.base + this.#wal.submit(bytes, 0, length);
    } catch (error) {
      throw fromLog(error, this.#options.dir);
    }
  }

  /** Appends a commit and waits until it is durable under the policy; blocks the thread. */
  submitSync(bytes: Uint8Array, length: number): number {
    try {
      return this.#options.base + this.#wal.appendSync(bytes.subarray(0, length)).lsn;
    } catch (error) {
      throw fromLog(error, this.#options.dir);
    }
  }

  /** Resolves when everything submitted so far is synced, whatever the policy. */
  async sync(): Promise<void> {
    try {
      await this.#wal.sync();
    } catch (error) {
      throw fromLog(error, this.#options.dir);
    }
  }

  /** Lets go of what is in tables. */
  async flushed(sequence: number): Promise<void> {
    try {
      await this.#wal.truncateBefore(sequence - this.#options.base + 1);
    } catch (error) {
      throw fromLog(error, this.#options.dir);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#wal.close();
    } catch (error) {
      throw fromLog(error, this.#options.dir);
    }
  }
}
