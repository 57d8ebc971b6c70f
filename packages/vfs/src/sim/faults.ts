/**
 * What goes wrong, and when: a plan made before or during a run, and counters of what came of it.
 *
 * Operations are counted by kind, from the moment a fault is planned: `nth: 1` is the next one.
 * A run that plans a fault should check afterwards that it happened (`assertAllFired`): a sweep
 * whose faults never fire proves nothing.
 */
import { type VfsError, vfsError } from '../errors.js';
import type { SyncFailure } from './sync-outcome.js';

/** What programs ask of a `Vfs`, as far as it can fail. `open` is for files that exist. */
export type OpKind =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'size'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'readdir'
  | 'stat'
  | 'syncDir'
  | 'freeBytes'
  | 'lock';

/** Any errno name; these are the usual ones. */
export type FaultError = 'EIO' | 'ENOSPC' | 'EMFILE' | 'EROFS' | 'EACCES' | (string & {});

export interface Failure {
  op: OpKind;
  /** The nth operation of the kind from now on; from 1. */
  nth: number;
  error: FaultError;
  /** Whether every later one fails as well. Default false. */
  sticky?: boolean;
  /** Whether the operation takes effect although it reports an error. Default false. Not for syncs. */
  takesEffect?: boolean;
  /** How a failed sync leaves the cache. Default `clean-new`. */
  syncFailure?: SyncFailure;
  /** Only operations whose path contains this. */
  path?: string;
}

/** What happened, for coverage: each kind of fault has a counter. */
export type FaultKind =
  | `error:${OpKind}`
  | `effect:${OpKind}`
  | `sync:${SyncFailure}`
  | 'syncDir:lost'
  | 'short-write'
  | 'no-space'
  | 'stall'
  | 'clock-jump';

/** What an operation is to do. */
export interface Verdict {
  error?: VfsError;
  takesEffect: boolean;
  syncFailure: SyncFailure;
}

interface Planned {
  readonly describe: string;
  readonly op: OpKind;
  readonly path: string | undefined;
  left: number;
  readonly sticky: boolean;
  fired: number;
}

type PlannedFailure = Planned & { readonly failure: Failure };
type PlannedShort = Planned & { readonly bytes: number };
type PlannedStall = Planned & { readonly stallMs: number };

export class Faults {
  #failures: PlannedFailure[] = [];
  #shorts: PlannedShort[] = [];
  #stalls: PlannedStall[] = [];
  #writeBytesMax = Number.POSITIVE_INFINITY;
  #writeBudgetBytes = Number.POSITIVE_INFINITY;
  readonly #counters = new Map<FaultKind, number>();

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
  shortWriteAt(options: { nth: number; bytes: number; path?: string }): void {
    const text = `write ${options.nth} cut to ${options.bytes} bytes`;
    this.#shorts.push({ ...planned({ ...options, op: 'write' }, text), bytes: options.bytes });
  }

  /** Makes every write accept at most `bytes` bytes. */
  limitEachWrite(bytes: number): void {
    this.#writeBytesMax = bytes;
  }

  /** After `bytes` more bytes were written, to the byte, every write fails with `ENOSPC`. */
  limitWrites(bytes: number): void {
    this.#writeBudgetBytes = bytes;
  }

  /** Makes the nth operation of a kind take `stallMs` longer. */
  stallAt(options: { op: OpKind; nth: number; stallMs: number; path?: string }): void {
    const text = `${options.op} ${options.nth} stalled ${options.stallMs} ms`;
    this.#stalls.push({ ...planned(options, text), stallMs: options.stallMs });
  }

  /** Forgets everything planned and lifts all limits; counters stay. */
  clear(): void {
    this.#failures = [];
    this.#shorts = [];
    this.#stalls = [];
    this.#writeBytesMax = Number.POSITIVE_INFINITY;
    this.#writeBudgetBytes = Number.POSITIVE_INFINITY;
    this.diskBytesMax = Number.POSITIVE_INFINITY;
  }

  /** How often each kind of fault happened. */
  coverage(): ReadonlyMap<FaultKind, number> {
    return this.#counters;
  }

  /** Throws unless every planned fault happened at least once. */
  assertAllFired(): void {
    const silent = [...this.#failures, ...this.#shorts, ...this.#stalls].filter((p) => !p.fired);
    if (silent.length === 0) return;
    throw new Error(
      `expected every planned fault to happen, but these did not: ${silent.map((p) => p.describe).join('; ')}: plan them earlier or run longer`,
    );
  }

  /** Counts a fault that happened. */
  count(kind: FaultKind): void {
    this.#counters.set(kind, (this.#counters.get(kind) ?? 0) + 1);
  }

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
    this.count(`error:${op}`);
    if (op === 'sync') this.count(`sync:${verdict.syncFailure}`);
    else if (op === 'syncDir') this.count('syncDir:lost');
    else if (verdict.takesEffect) this.count(`effect:${op}`);
    return verdict;
  }

  /** How many of `bytes` bytes a write accepts. Throws `ENOSPC` where it is none. */
  admitWrite(path: string, bytes: number): number {
    let accepted = Math.min(bytes, this.#writeBytesMax);
    for (const plan of this.#shorts) {
      if (due(plan, 'write', path)) accepted = Math.min(accepted, plan.bytes);
    }
    if (this.#writeBudgetBytes < accepted) {
      accepted = this.#writeBudgetBytes;
      if (accepted === 0) throw this.noSpace(path);
    }
    this.#writeBudgetBytes -= accepted;
    if (accepted < bytes) this.count('short-write');
    return accepted;
  }

  noSpace(path: string): VfsError {
    this.count('no-space');
    return vfsError('ENOSPC', 'write', path, 'expected free space, got a full disk');
  }

  /** How much longer an operation takes, in ms. */
  stallMs(op: OpKind, path: string): number {
    let stallMs = 0;
    for (const plan of this.#stalls) if (due(plan, op, path)) stallMs += plan.stallMs;
    if (stallMs > 0) this.count('stall');
    return stallMs;
  }
}

function planned(
  plan: { op: OpKind; nth: number; path?: string; sticky?: boolean },
  describe: string,
): Planned {
  if (!Number.isSafeInteger(plan.nth) || plan.nth < 1) {
    throw new RangeError(`expected nth to be an integer from 1, got ${plan.nth}`);
  }
  const { op, path, nth, sticky = false } = plan;
  return { describe, op, path, left: nth, sticky, fired: 0 };
}

/** Counts an operation; whether the plan's turn has come. */
function due(plan: Planned, op: OpKind, path: string): boolean {
  if (plan.op !== op || (plan.path !== undefined && !path.includes(plan.path))) return false;
  plan.left--;
  if (plan.left !== 0 && !(plan.sticky && plan.left < 0)) return false;
  plan.fired++;
  return true;
}
