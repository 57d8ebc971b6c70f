/**
 * Runs the writer's plan: a generator that yields each piece of I/O it needs and goes on when that
 * is done. One plan serves both kinds of caller: `kick` lets slow pieces run in the thread pool,
 * `runNow` does everything before it returns.
 *
 * Invariants
 *  1. One plan at a time; its steps happen in order.
 *  2. `runNow` may come while a piece is in the pool: it does that piece again, synchronously (the
 *     same bytes to the same place; one more sync), and goes on. The pool's own result then only
 *     matters if it is an error.
 *  3. The first error ends the plan for good, be it of a piece or of the plan itself.
 *  4. `afterStep` runs between two steps, outside of the generator: whoever is called there may
 *     call `kick` and `runNow`.
 *
 *  5. No two syncs run on one descriptor at a time: of a failure the kernel would tell only one. A
 *     sync in place has a descriptor of its own, the `twin`; one in the pool waits for the pool.
 */
import { type Vfs, type VfsFile, writeFully, writeFullySync } from '@nendb/vfs';

/** A piece of I/O. `pool`: worth a trip through the thread pool. */
export type Io =
  | { kind: 'write'; file: VfsFile; bytes: Uint8Array; position: number; pool: boolean }
  /** `beside`: another file to sync, in any order. `twin`s are for syncs in place, see 5. */
  | { kind: 'sync'; file: Twins; dataOnly: boolean; pool: boolean; beside?: Twins }
  | { kind: 'syncDir'; path: string; pool: boolean }
  | { kind: 'truncate'; file: VfsFile; length: number; pool: boolean }
  | { kind: 'rename'; from: string; to: string; pool: false }
  /** Something else that uses the descriptor must end first. */
  | { kind: 'wait'; promise: Promise<void>; pool: true };

/** One file, opened twice. */
export interface Twins {
  readonly file: VfsFile;
  readonly twin: VfsFile | undefined;
}

export type Plan = Generator<Io, void, void>;

export class Pump {
  readonly #vfs: Vfs;
  readonly #makePlan: () => Plan;
  readonly #afterStep: () => void;
  readonly #onFailure: (failure: 'write' | 'sync', error: unknown) => void;
  #plan: Plan | undefined;
  /** Yielded and not yet done: in the pool, or about to be done. */
  #todo: Io | undefined;
  #ticket = 0;
  readonly #pooled = new Set<Promise<void>>();
  #failed = false;
  #whenIdle: (() => void)[] = [];

  constructor(
    vfs: Vfs,
    makePlan: () => Plan,
    afterStep: () => void,
    onFailure: (failure: 'write' | 'sync', error: unknown) => void,
  ) {
    this.#vfs = vfs;
    this.#makePlan = makePlan;
    this.#afterStep = afterStep;
    this.#onFailure = onFailure;
  }

  get running(): boolean {
    return this.#plan !== undefined;
  }

  /** Starts a plan unless one runs. */
  kick(): void {
    if (this.#plan || this.#failed) return;
    this.#plan = this.#makePlan();
    this.#advance(false);
  }

  /** Brings the running plan, or a new one, to its end. */
  runNow(): void {
    if (this.#failed) return;
    this.#plan ??= this.#makePlan();
    this.#ticket++;
    const again = this.#todo;
    this.#todo = undefined;
    if (again && !this.#perform(again)) return;
    this.#advance(true);
  }

  /** Resolves when no plan runs. */
  idle(): Promise<void> {
    return this.#plan && !this.#failed
      ? new Promise((resolve) => this.#whenIdle.push(resolve))
      : Promise.resolve();
  }

  /** Ends the plan: another part of the log failed. */
  stop(): void {
    this.#failed = true;
    this.#finish();
  }

  #advance(now: boolean): void {
    while (this.#plan) {
      const io = this.#next(this.#plan);
      if (this.#failed) return;
      const ticket = ++this.#ticket;
      this.#todo = io;
      if (!io) this.#finish();
      this.#afterStep();
      // Somebody who was called there has gone on, or the log has failed.
      if (ticket !== this.#ticket || this.#failed) return;
      if (!io) return;
      if (io.pool && !now) {
        this.#performInPool(io, ticket);
        return;
      }
      this.#todo = undefined;
      if (!this.#perform(io)) return;
    }
  }

  /** What the plan needs next. One that throws would never settle who waits: it fails like its I/O. */
  #next(plan: Plan): Io | undefined {
    try {
      const { done, value } = plan.next();
      return done ? undefined : value;
    } catch (error) {
      this.stop();
      this.#onFailure('write', error);
      return undefined;
    }
  }

  #finish(): void {
    this.#plan = undefined;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  #perform(io: Io): boolean {
    try {
      if (io.kind === 'write') writeFullySync(io.file, io.bytes, io.position);
      else if (io.kind === 'sync') syncTwin(io);
      else if (io.kind === 'syncDir') this.#vfs.syncDirSync(io.path);
      else if (io.kind === 'truncate') io.file.truncateSync(io.length);
      else if (io.kind === 'rename') this.#vfs.renameSync(io.from, io.to);
      return true;
    } catch (error) {
      this.#fail(io, error);
      return false;
    }
  }

  /** Whether the pool holds nothing of ours, not even what `runNow` has overtaken. */
  get poolIsEmpty(): boolean {
    return this.#pooled.size === 0;
  }

  /** Resolves when what the pool holds of ours now is done; what comes later is not waited for. */
  async poolNow(): Promise<void> {
    await Promise.all(this.#pooled);
  }

  /** Resolves when the pool holds nothing of ours any more, whatever became of the plan. */
  async poolEmpty(): Promise<void> {
    while (this.#pooled.size > 0) await Promise.all(this.#pooled);
  }

  #performInPool(io: Io, ticket: number): void {
    const late = io.kind === 'sync' && !this.poolIsEmpty;
    // A sync that was put off may have been overtaken by then, and its file closed.
    const start = late
      ? this.poolNow().then(() => (ticket === this.#ticket ? this.#start(io) : undefined))
      : this.#start(io);
    const work: Promise<void> = start.then(
      () => {
        this.#pooled.delete(work);
        if (ticket !== this.#ticket || this.#failed) return;
        this.#todo = undefined;
        this.#advance(false);
      },
      (error: unknown) => {
        this.#pooled.delete(work);
        this.#fail(io, error);
      },
    );
    this.#pooled.add(work);
  }

  #start(io: Io & { pool: boolean }): Promise<void> {
    if (io.kind === 'write') return writeFully(io.file, io.bytes, io.position);
    if (io.kind === 'sync') return this.#failed ? Promise.resolve() : syncInPool(io);
    if (io.kind === 'syncDir') return this.#vfs.syncDir(io.path);
    if (io.kind === 'truncate') return io.file.truncate(io.length);
    if (io.kind === 'wait') return io.promise;
    throw new Error(`a ${io.kind} is done in place`);
  }

  #fail(io: Io, error: unknown): void {
    if (this.#failed) return;
    this.stop();
    this.#onFailure(io.kind === 'sync' || io.kind === 'syncDir' ? 'sync' : 'write', error);
  }
}

type Sync = Io & { kind: 'sync' };

function syncTwin({ file, beside, dataOnly }: Sync): void {
  (file.twin ?? file.file).syncSync({ dataOnly });
  if (beside) (beside.twin ?? beside.file).syncSync({ dataOnly });
}

async function syncInPool({ file, beside, dataOnly }: Sync): Promise<void> {
  const syncs = [file.file.sync({ dataOnly })];
  if (beside) syncs.push(beside.file.sync({ dataOnly }));
  const results = await Promise.allSettled(syncs);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
