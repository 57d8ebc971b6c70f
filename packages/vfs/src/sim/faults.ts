/**
 * What goes wrong, and when: a plan made before or during a run, and counters of what came of it.
 *
 * Operations are counted by kind, from the moment a fault is planned: `nth: 1` is the next one.
 * A run that plans a fault should check afterwards that it happened (`assertAllFired`): a sweep
 * whose faults never fire proves nothing.
 */
import { type VfsError, vfsError } from '../errors.js';
import type { Coverage } from './coverage.js';
import type { CoverageKind } from './coverage-kinds.js';
import { due, type Moment, type Planned, planned } from './fault-plan.js';
import { MediaFaults } from './media-faults.js';
import type { OpKind } from './op-kind.js';
import { ResourceFaults } from './resource-faults.js';
import type { SyncFailure } from './sync-outcome.js';

/** Any errno name; these are the usual ones. */
export type FaultError = 'EIO' | 'ENOSPC' | 'EMFILE' | 'EROFS' | 'EACCES' | (string & {});

export interface Failure extends Moment {
  op: OpKind;
  error: FaultError;
  /** Whether every later one fails as well. Default false. */
  sticky?: boolean;
  /** Whether the operation takes effect although it reports an error. Default false. Not for syncs. */
  takesEffect?: boolean;
  /** How a failed sync leaves the cache. Default `clean-new`. */
  syncFailure?: SyncFailure;
}

/** What an operation is to do. */
export interface Verdict {
  error?: VfsError;
  takesEffect: boolean;
  syncFailure: SyncFailure;
}

type PlannedFailure = Planned & { readonly failure: Failure };
type PlannedShort = Planned & { readonly bytes: number };
type PlannedStall = Planned & { readonly stallMs: number };
type PlannedLoss = Planned & { readonly error: FaultError };

export class Faults {
  /** Bad places and wrong places of the medium. */
  readonly media: MediaFaults;
  /** Descriptors, permissions, a read-only file system. */
  readonly resources: ResourceFaults;
  readonly #coverage: Coverage;
  #failures: PlannedFailure[] = [];
  #shorts: PlannedShort[] = [];
  #stalls: PlannedStall[] = [];
  #losses: PlannedLoss[] = [];
  #bytesMax = { read: Number.POSITIVE_INFINITY, write: Number.POSITIVE_INFINITY };
  #writeBudgetBytes = Number.POSITIVE_INFINITY;

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
    this.media = new MediaFaults(coverage);
    this.resources = new ResourceFaults(coverage);
  }

  /** The capacity of the disk in bytes, allocated in sectors; what is used already counts. */
  diskBytesMax = Number.POSITIVE_INFINITY;

  /** Makes one operation fail, or with `sticky` all from the nth on. */
  failAt(failure: Failure): void {
    this.#failures.push({
      ...planned(failure, `${failure.error} at ${failure.op} ${failure.nth}`),
      failure,
    });
  }

  /** Makes the nth write accept only its first `bytes` bytes. */
  shortWriteAt(options: Moment & { bytes: number }): void {
    this.#cutAt('write', options);
  }

  /**
   * Makes the kernel answer the nth read with at most `bytes` bytes. The machine asks for the rest,
   * as it must: a program sees only that other operations can come between the parts.
   */
  shortReadAt(options: Moment & { bytes: number }): void {
    this.#cutAt('read', options);
  }

  /** Makes every write accept at most `bytes` bytes. */
  limitEachWrite(bytes: number): void {
    this.#bytesMax.write = atLeastOne(bytes);
  }

  /** Makes the kernel answer every read with at most `bytes` bytes. */
  limitEachRead(bytes: number): void {
    this.#bytesMax.read = atLeastOne(bytes);
  }

  /** After `bytes` more bytes were written, to the byte, every write fails with `ENOSPC`. */
  limitWrites(bytes: number): void {
    this.#writeBudgetBytes = bytes;
  }

  /**
   * Makes the kernel write back the file's dirty pages right after the nth write, and fail: they are
   * lost, reads still see them, and each descriptor open on the file is told once, by its next sync.
   */
  loseWritebackAt(options: Moment & { error?: FaultError }): void {
    const { error = 'EIO' } = options;
    const text = `${error} of the write-back after write ${options.nth}`;
    this.#losses.push({ ...planned({ ...options, op: 'write' }, text), error });
  }

  /** Makes the nth operation of a kind take `stallMs` longer. */
  stallAt(options: Moment & { op: OpKind; stallMs: number }): void {
    const text = `${options.op} ${options.nth} stalled ${options.stallMs} ms`;
    this.#stalls.push({ ...planned(options, text), stallMs: options.stallMs });
  }

  /** Forgets everything planned and lifts all limits; counters stay. */
  clear(): void {
    this.#failures = [];
    this.#shorts = [];
    this.#stalls = [];
    this.#losses = [];
    this.#bytesMax = { read: Number.POSITIVE_INFINITY, write: Number.POSITIVE_INFINITY };
    this.#writeBudgetBytes = Number.POSITIVE_INFINITY;
    this.diskBytesMax = Number.POSITIVE_INFINITY;
    this.media.clear();
    this.resources.clear();
  }

  /** How often each kind of fault happened on this machine. */
  coverage(): ReadonlyMap<CoverageKind, number> {
    return this.#coverage.counters;
  }

  /** Throws unless every planned fault happened at least once. */
  assertAllFired(): void {
    const plans = [...this.#failures, ...this.#shorts, ...this.#stalls, ...this.#losses];
    const silent = plans.filter((plan) => plan.fired === 0).map((plan) => plan.describe);
    silent.push(...this.media.silent());
    if (silent.length === 0) return;
    throw new Error(
      `expected every planned fault to happen, but these did not: ${silent.join('; ')}: plan them earlier or run longer`,
    );
  }

  // The machine's side

  /** Whether an operation that is about to happen fails. */
  judge(op: OpKind, path: string): Verdict {
    let hit: Failure | undefined;
    for (const plan of this.#failures) if (due(plan, op, path)) hit ??= plan.failure;
    const verdict: Verdict = {
      takesEffect: hit?.takesEffect === true,
      syncFailure: hit?.syncFailure ?? 'clean-new',
    };
    if (hit === undefined) return verdict;
    verdict.error = vfsError(hit.error, op, path, 'injected fault');
    this.#coverage.count(`error:${op}`);
    if (op === 'sync') this.#coverage.count(`sync:${verdict.syncFailure}`);
    else if (op === 'syncDir') this.#coverage.count('syncDir:lost');
    else if (verdict.takesEffect) this.#coverage.count(`effect:${op}`);
    return verdict;
  }

  /** How many of `bytes` bytes a write accepts. Throws `ENOSPC` where it is none. */
  admitWrite(path: string, bytes: number): number {
    let accepted = this.#cut('write', path, bytes);
    if (this.#writeBudgetBytes < accepted) {
      accepted = this.#writeBudgetBytes;
      if (accepted === 0) throw this.noSpace(path);
    }
    this.#writeBudgetBytes -= accepted;
    if (accepted < bytes) this.#coverage.count('short-write');
    return accepted;
  }

  /** How many of the `bytes` bytes that are there a read gets at once. */
  admitRead(path: string, bytes: number): number {
    const accepted = this.#cut('read', path, bytes);
    if (accepted < bytes) this.#coverage.count('short-read');
    return accepted;
  }

  /** The error with which the pages are lost after a write, if they are. */
  losesWriteback(path: string): FaultError | undefined {
    let error: FaultError | undefined;
    for (const plan of this.#losses) if (due(plan, 'write', path)) error ??= plan.error;
    if (error !== undefined) this.#coverage.count('writeback:lost');
    return error;
  }

  noSpace(path: string): VfsError {
    this.#coverage.count('no-space');
    return vfsError('ENOSPC', 'write', path, 'expected free space, got a full disk');
  }

  /** How much longer an operation takes, in ms. */
  stallMs(op: OpKind, path: string): number {
    let stallMs = 0;
    for (const plan of this.#stalls) if (due(plan, op, path)) stallMs += plan.stallMs;
    if (stallMs > 0) this.#coverage.count('stall');
    return stallMs;
  }

  #cutAt(op: 'read' | 'write', options: Moment & { bytes: number }): void {
    const text = `${op} ${options.nth} cut to ${options.bytes} bytes`;
    const bytes = atLeastOne(options.bytes);
    this.#shorts.push({ ...planned({ ...options, op }, text), bytes });
  }

  #cut(op: 'read' | 'write', path: string, bytes: number): number {
    let accepted = Math.min(bytes, this.#bytesMax[op]);
    for (const plan of this.#shorts) {
      if (due(plan, op, path)) accepted = Math.min(accepted, plan.bytes);
    }
    return accepted;
  }
}

/** A transfer of nothing is no short transfer: it would end a read, or fail a write. */
function atLeastOne(bytes: number): number {
  if (bytes >= 1) return bytes;
  throw new RangeError(`expected a transfer of at least 1 byte, got ${bytes}`);
}
