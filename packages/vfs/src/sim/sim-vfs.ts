/**
 * A deterministic machine in memory, which can be made to fail and to die at any operation.
 *
 *     const sim = new SimVfs({ seed: 1 });
 *     await sim.run(async () => { ...the program, with sim as its Vfs... });
 *     for (const image of sim.crashImages()) {
 *       const after = SimVfs.fromImage(image, { seed: 2 });
 *       await after.run(async () => { ...recovery, and what must hold... });
 *     }
 *
 * Invariants
 *  1. Same seed, same program, same boot: same interleaving, same history, same images. Each boot on
 *     a disk throws other dice, so that what should be unique is unique over a crash.
 *  2. The synchronous half takes effect at once; the asynchronous half when the scheduler picks it.
 *  3. A machine never dies by itself: images are taken from its history, while it lives on.
 */
import { stampUuid } from '../uuid.js';
import type {
  Clock,
  Executor,
  LockState,
  OpenMode,
  Randomness,
  Timers,
  Vfs,
  VfsFile,
  VfsLock,
  VfsStat,
} from '../vfs.js';
import { Acknowledgements, type Promised } from './acknowledgements.js';
import { Coverage } from './coverage.js';
import { CrashPoint } from './crash-point.js';
import {
  type ChoiceLimits,
  type CrashChoice,
  type CrashProfile,
  posixWeak,
} from './crash-profile.js';
import { Disk } from './disk.js';
import { type DiskState, ROOT_INODE } from './disk-state.js';
import { type ByteRange, whyNotDurable } from './durability.js';
import type { Faults } from './faults.js';
import type { Change } from './history.js';
import { type CrashKind, cleanDirectory, type SimImage } from './image.js';
import { Machine } from './machine.js';
import type { OpKind } from './op-kind.js';
import { Prng } from './prng.js';
import { Scheduler, type SimOrder } from './scheduler.js';
import { simExecutor } from './sim-executor.js';
import { LockTable } from './sim-lock.js';
import { normalize, VfsOperations } from './vfs-operations.js';

export interface SimOptions {
  /** Any integer. Default 1. */
  seed?: number;
  /** Who of several operations in flight completes first. Default `random`. */
  order?: SimOrder;
  /** The wall clock at boot, in ms since 1970. Default 2026-01-01, or a second after the crash. */
  wallMs?: number;
  /** Whether the history is kept, so that images can be taken of the past. Default true. */
  record?: boolean;
  /** Where everything that `SimVfs.coverage` counts is counted too. */
  coverage?: Coverage;
}

export interface CrashOptions {
  /** Default `power`. */
  kind?: CrashKind;
  /** Default `posixWeak`. */
  profile?: CrashProfile;
}

const BOOT_WALL_MS = Date.UTC(2026, 0, 1);
const DOWNTIME_MS = 1000;
const EMPTY_DISK: DiskState = {
  nodes: new Map([[ROOT_INODE, cleanDirectory(new Map(), BOOT_WALL_MS)]]),
  pending: [],
};

export class SimVfs implements Vfs {
  readonly seed: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Randomness;
  readonly executor: Executor;
  readonly #bootWallMs: number;
  readonly #boots: number;
  readonly #disk: Disk;
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #locks = new LockTable();
  readonly #acknowledgements = new Acknowledgements();
  readonly #operations: VfsOperations;

  /** A new machine, on an empty disk or on what a crash left. */
  constructor(options: SimOptions = {}, image?: SimImage) {
    this.seed = options.seed ?? 1;
    this.#boots = 1 + (image?.boots ?? 0);
    this.#bootWallMs =
      options.wallMs ?? (image === undefined ? BOOT_WALL_MS : image.wallMs + DOWNTIME_MS);
    this.#scheduler = new Scheduler(
      new Prng(this.seed, this.#boots, 1),
      options.order ?? 'random',
      this.#bootWallMs,
    );
    this.clock = this.#scheduler.clock;
    this.timers = this.#scheduler.timers;
    this.#disk = new Disk(image?.state ?? EMPTY_DISK, options.record ?? true, this.clock.wallMs);
    this.#machine = new Machine(this.#disk, this.#scheduler, new Coverage(options.coverage));
    this.executor = simExecutor(this.#scheduler, this);
    this.#operations = new VfsOperations(this.#machine, new Prng(this.seed, this.#boots, 3));
    const dice = new Prng(this.seed, this.#boots, 2);
    this.random = {
      fill: (target) => dice.fill(target),
      uuid: () => {
        const bytes = new Uint8Array(16);
        dice.fill(bytes);
        return stampUuid(bytes);
      },
    };
  }

  static fromImage(image: SimImage, options: SimOptions = {}): SimVfs {
    return new SimVfs(options, image);
  }

  // The program's side: `Vfs`

  open(path: string, mode: OpenMode): Promise<VfsFile> {
    return this.#machine.later(this.#operations.open(path, mode));
  }

  openSync(path: string, mode: OpenMode): VfsFile {
    return this.#machine.now(this.#operations.open(path, mode));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#machine.later(this.#operations.rename(from, to));
  }

  renameSync(from: string, to: string): void {
    this.#machine.now(this.#operations.rename(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.#machine.later(this.#operations.unlink(path));
  }

  unlinkSync(path: string): void {
    this.#machine.now(this.#operations.unlink(path));
  }

  mkdir(path: string): Promise<void> {
    return this.#machine.later(this.#operations.mkdir(path));
  }

  mkdirSync(path: string): void {
    this.#machine.now(this.#operations.mkdir(path));
  }

  readdir(path: string): Promise<string[]> {
    return this.#machine.later(this.#operations.readdir(path));
  }

  readdirSync(path: string): string[] {
    return this.#machine.now(this.#operations.readdir(path));
  }

  stat(path: string): Promise<VfsStat | undefined> {
    return this.#machine.later(this.#operations.stat(path));
  }

  statSync(path: string): VfsStat | undefined {
    return this.#machine.now(this.#operations.stat(path));
  }

  async syncDir(path: string): Promise<void> {
    return this.#machine.later(this.#operations.syncDir(path));
  }

  syncDirSync(path: string): void {
    this.#machine.now(this.#operations.syncDir(path));
  }

  freeBytes(path: string): Promise<number> {
    return this.#machine.later(this.#operations.freeBytes(path));
  }

  freeBytesSync(path: string): number {
    return this.#machine.now(this.#operations.freeBytes(path));
  }

  lock(path: string): Promise<VfsLock> {
    const owner = {
      pid: this.#boots,
      startTicks: String(this.seed),
      bootId: `sim-${this.#bootWallMs}`,
      pidNamespace: 'sim',
      host: 'sim',
    };
    return this.#machine.later(this.#operations.lock(path, this.#locks, owner));
  }

  async inspectLock(path: string): Promise<LockState> {
    return this.#locks.inspect(this.#disk, normalize(path));
  }

  // The test's side

  get faults(): Faults {
    return this.#machine.faults;
  }

  /** How often each kind of fault, crash, damage and detection happened to this machine. */
  get coverage(): Coverage {
    return this.#machine.coverage;
  }

  /** Operations so far, by kind: what a sweep of faults has to cover. */
  get counts(): Readonly<Record<OpKind, number>> {
    return this.#machine.counts;
  }

  /** How many operations changed the disk since boot: the position of "now" among crash points. */
  get changeCount(): number {
    return this.#disk.history.count;
  }

  /** The operations that changed the disk, in order. Change n is at index n - 1. */
  get changes(): readonly Change[] {
    return this.#disk.history.changes;
  }

  /**
   * Runs until `work` settles; nothing happens on the machine otherwise. Rejects as `work` does, or
   * with `SimDeadlockError` (`SIM_DEADLOCK`) where nothing is left that could settle it.
   */
  run<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
    return this.#scheduler.run(work);
  }

  /** Runs until no operation is in flight, then for `ms` of virtual time. */
  settle(ms = 0): Promise<void> {
    return this.#scheduler.settle(ms);
  }

  /** Moves the wall clock, in ms, either way. */
  jumpClock(byMs: number): void {
    this.coverage.count('clock-jump');
    this.#scheduler.jumpWall(byMs);
  }

  /** Everything reaches the disk, as in a long quiet time. */
  flush(): void {
    this.#disk.flush();
  }

  /** The moment after `at` changes (default: now). Moments past need a recording machine. */
  crashPoint(at = this.changeCount, options: CrashOptions = {}): CrashPoint {
    const { history } = this.#disk;
    if (!Number.isSafeInteger(at) || at < 0 || at > history.count) {
      throw new RangeError(`expected a crash point from 0 to ${history.count}, got ${at}`);
    }
    if (!history.recording && at !== history.count) {
      throw new RangeError(
        `expected a crash now (${history.count}), got ${at}: create the machine with record: true`,
      );
    }
    const wallMs = history.changes[at - 1]?.wallMs ?? this.#bootWallMs;
    const { kind = 'power', profile = posixWeak } = options;
    return new CrashPoint(this.#disk, at, kind, profile, wallMs, this.#boots, this.coverage);
  }

  /** One image: a pure function of the history up to `at` and the choice. */
  crashImage(options: CrashOptions & { at?: number; choice?: CrashChoice } = {}): SimImage {
    return this.crashPoint(options.at, options).image(options.choice ?? 'none');
  }

  /**
   * Images that differ, from change `from` (default 0) to `to` (default: now), with the position of
   * each. Images with equal hash at one position come once; `seen` drops them over positions and
   * machines too (only where what must hold does not depend on the position).
   */
  *crashImages(
    options: CrashOptions & ChoiceLimits & { from?: number; to?: number; seen?: Set<string> } = {},
  ): Generator<{ at: number; image: SimImage }> {
    const { from = 0, to = this.changeCount, seen } = options;
    for (let at = from; at <= to; at++) {
      const point = this.crashPoint(at, options);
      const here = seen ?? new Set<string>();
      for (const choice of point.choices(options)) {
        const image = point.image(choice);
        if (here.has(image.hash())) continue;
        here.add(image.hash());
        yield { at, image };
      }
    }
  }

  /** Paths of files that are open, one for each descriptor. */
  get openFiles(): string[] {
    return [...this.#machine.descriptors].map((descriptor) => descriptor.path);
  }

  /** What the detectors saw: use after close, buffers changed while a write held them. */
  get violations(): readonly string[] {
    return this.#machine.violations;
  }

  /** Throws if a detector saw something, or a file is still open. */
  assertClean(): void {
    const leaks = this.openFiles.map((path) => `${path} is still open`);
    if (leaks.length > 0) this.coverage.count('detector:descriptor-leak', leaks.length);
    const found = [...this.violations, ...leaks];
    if (found.length > 0) {
      throw new Error(`expected a clean end, but: ${found.join('; ')}`);
    }
  }

  /**
   * Throws unless the bytes of `path` in `range` (default: all, and the size) and every name on the
   * way survive a power cut now. A directory stands for everything below it.
   */
  assertDurable(path: string, range: ByteRange = {}): void {
    const why = whyNotDurable(this.#disk, normalize(path), range);
    if (why === undefined) return;
    const bytes = `bytes ${range.from ?? 0} to ${range.to ?? 'the end'} of ${path}`;
    throw new Error(`expected ${bytes} to be durable, but ${why}`);
  }

  /**
   * To be called where a program says that something is done: remembers `what` for
   * {@link acknowledgedBy}. Throws, and `assertClean` will, unless all that it `rests` on is durable.
   */
  acknowledge(what: string, ...rests: readonly Promised[]): void {
    for (const { path, ...range } of rests) {
      const why = whyNotDurable(this.#disk, normalize(path), range);
      if (why === undefined) continue;
      const early = `${what} was acknowledged early: of ${path}, ${why}`;
      this.#machine.violate('early-acknowledgement', early);
      throw new Error(`expected what is acknowledged to be durable, but ${early}`);
    }
    this.#acknowledgements.add(this.changeCount, what);
  }

  /** What had been acknowledged, in order, when `at` changes had been made. */
  acknowledgedBy(at: number): string[] {
    return this.#acknowledgements.by(at);
  }
}
