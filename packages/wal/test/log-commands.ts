/**
 * What can be done to a log, one command each, beside a plain array that has the same done to it.
 *
 * After every command the log is read, and must be the array from its first LSN on. Records name their
 * LSN and how many were made before them, so that none can pass for another.
 */
import { type CrashKind, SimVfs } from '@nendb/vfs/sim';
import { type Lease, type Position, Wal, type WalEntry, type WalOptions } from '@nendb/wal';
import type fc from 'fast-check';
import { expect } from 'vitest';
import { DIR } from './sim-log.js';

/** A record of the model. */
interface Made {
  text: string;
  epoch: number;
  /** Where the log said that it is; forgotten when recovery or a cut may have moved it. */
  place?: Pick<Position, 'segment' | 'offset'>;
}

/** The log as a plain array. */
export class Model {
  /** LSN n at index n - 1. */
  records: Made[] = [];
  /** Last LSNs of units, and 0: where the log may end. */
  unitEnds = new Set<number>([0]);
  /** The highest LSN that `truncateBefore` was asked for. */
  wanted = 0;
  firstLsn = 1;
  epoch = 1;
  /** Of all that was ever made, cut off or not. */
  made = 0;
  /** How often records were removed from the front, and how many segments there were at most. */
  removals = 0;
  segmentsMost = 0;

  get lastLsn(): number {
    return this.records.length;
  }

  /** The log ends at `lsn` from now on. */
  cutAfter(lsn: number): void {
    this.records.length = lsn;
    for (const end of this.unitEnds) if (end > lsn) this.unitEnds.delete(end);
    this.wanted = Math.min(this.wanted, lsn + 1);
    this.forgetPlaces();
  }

  forgetPlaces(): void {
    for (const record of this.records) delete record.place;
  }
}

interface HeldLease {
  lease: Lease;
  lost: boolean;
}

/** The log itself. */
export class Real {
  sim: SimVfs;
  wal: Wal;
  leases: HeldLease[] = [];
  /** One that goes on from command to command; `next` is the LSN that it yields next. */
  tail: { entries: AsyncGenerator<WalEntry, void>; next: number } | undefined;
  /** Appends whose promises nobody has looked at yet. */
  pending: Promise<unknown>[] = [];

  private constructor(
    sim: SimVfs,
    readonly options: Partial<WalOptions>,
    wal: Wal,
  ) {
    this.sim = sim;
    this.wal = wal;
  }

  static async start(seed: number, options: Partial<WalOptions>): Promise<Real> {
    const sim = new SimVfs({ seed, record: false });
    const { wal } = await sim.run(() => Wal.open({ dir: DIR, vfs: sim, ...options }));
    return new Real(sim, options, wal);
  }

  async open(): ReturnType<typeof Wal.open> {
    const opened = await Wal.open({ dir: DIR, vfs: this.sim, ...this.options });
    this.wal = opened.wal;
    this.leases = [];
    this.tail = undefined;
    this.pending = [];
    return opened;
  }

  async end(): Promise<void> {
    await this.sim.run(async () => {
      await Promise.all(this.pending);
      await this.tail?.entries.return();
      await this.wal.close();
    });
    this.sim.assertClean();
  }
}

type Command = fc.AsyncCommand<Model, Real>;

/** Whatever it does, the log and the array agree afterwards. */
abstract class Step implements Command {
  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await real.sim.run(() => this.does(model, real));
    // A crash has put another machine in its place.
    await real.sim.run(() => agree(model, real));
  }

  protected abstract does(model: Model, real: Real): Promise<void>;
  abstract toString(): string;
}

/** The log is the array from its first LSN on, and its marks are in order. */
async function agree(model: Model, { wal, leases, tail }: Real): Promise<void> {
  expect(wal.lastLsn).toBe(model.lastLsn);
  expect(wal.epoch).toBe(model.epoch);
  expect(wal.syncedLsn).toBeLessThanOrEqual(wal.durableLsn);
  expect(wal.durableLsn).toBeLessThanOrEqual(wal.lastLsn);
  expect(wal.firstLsn).toBeGreaterThanOrEqual(model.firstLsn);
  if (wal.firstLsn > model.firstLsn) model.removals++;
  model.firstLsn = wal.firstLsn;
  model.segmentsMost = Math.max(model.segmentsMost, wal.stats.segments);
  const held = leases.filter(({ lost }) => !lost).map(({ lease }) => lease.lsn as number);
  if (tail) held.push(tail.next);
  expect(wal.firstLsn).toBeLessThanOrEqual(Math.max(1, Math.min(model.wanted, ...held)));
  for (const { lease, lost } of leases) expect(lease.lost).toBe(lost);
  const promised = wal.durableLsn;
  let lsn = wal.firstLsn - 1;
  for await (const entry of wal.read()) {
    lsn++;
    const made = model.records[lsn - 1];
    expect(entry.lsn).toBe(lsn);
    expect(Buffer.from(entry.payload).toString()).toBe(made.text);
    expect(entry.position.epoch).toBe(made.epoch);
    if (made.place) expect(entry.position).toMatchObject(made.place);
  }
  // `read` sees what is written; what is submitted in this turn comes with the next.
  expect(lsn).toBeGreaterThanOrEqual(promised);
}

/**
 * Waits for what was asked for earlier and could be done only now: a segment that was sealed since, or
 * let go by the last reader, is removed in the background.
 */
async function atRest(model: Model, { sim, wal }: Real): Promise<void> {
  await sim.settle();
  if (wal.firstLsn > model.firstLsn) model.removals++;
  model.firstLsn = wal.firstLsn;
}

/** Notes a unit of records that was given to the log; the payloads to give. */
function make(model: Model, sizes: readonly number[]): Buffer[] {
  const payloads = sizes.map((bytes) => {
    const text = `${model.lastLsn + 1}#${model.made++}|`.padEnd(bytes, 'x');
    model.records.push({ text, epoch: model.epoch });
    return Buffer.from(text);
  });
  model.unitEnds.add(model.lastLsn);
  return payloads;
}

function placed(model: Model, { lsn, segment, offset }: Position): void {
  model.records[lsn - 1].place = { segment, offset };
}

export class Append extends Step {
  constructor(readonly bytes: number) {
    super();
  }
  protected async does(model: Model, { wal }: Real): Promise<void> {
    const position = await wal.append(make(model, [this.bytes])[0]);
    expect(position).toMatchObject({ lsn: model.lastLsn, epoch: model.epoch });
    expect(wal.durableLsn).toBe(model.lastLsn);
    placed(model, position);
  }
  toString = () => `append(${this.bytes})`;
}

/** Several at once, which nobody waits for. */
export class AppendAside extends Step {
  constructor(readonly sizes: readonly number[]) {
    super();
  }
  protected async does(model: Model, { wal, pending }: Real): Promise<void> {
    for (const bytes of this.sizes) {
      const lsn = model.lastLsn + 1;
      const append = wal.append(make(model, [bytes])[0]);
      pending.push(append.then((position) => expect(position.lsn).toBe(lsn)));
    }
  }
  toString = () => `appendAside(${this.sizes})`;
}

export class AppendBatch extends Step {
  constructor(readonly sizes: readonly number[]) {
    super();
  }
  protected async does(model: Model, { wal }: Real): Promise<void> {
    const first = model.lastLsn + 1;
    const position = await wal.appendBatch(make(model, this.sizes));
    expect(position.lsn).toBe(first);
    placed(model, position);
  }
  toString = () => `appendBatch(${this.sizes})`;
}

export class AppendSync extends Step {
  constructor(readonly bytes: number) {
    super();
  }
  protected async does(model: Model, { wal }: Real): Promise<void> {
    const position = wal.appendSync(make(model, [this.bytes])[0]);
    expect(position.lsn).toBe(model.lastLsn);
    expect(wal.durableLsn).toBe(model.lastLsn);
    placed(model, position);
  }
  toString = () => `appendSync(${this.bytes})`;
}

export class Sync extends Step {
  protected async does(model: Model, { wal, pending }: Real): Promise<void> {
    await wal.sync();
    expect(wal.syncedLsn).toBe(model.lastLsn);
    await Promise.all(pending.splice(0));
  }
  toString = () => 'sync()';
}

export class Settle extends Step {
  constructor(readonly ms: number) {
    super();
  }
  protected async does(_model: Model, { sim }: Real): Promise<void> {
    await sim.settle(this.ms);
  }
  toString = () => `settle(${this.ms})`;
}

/** `part` of the way from the first LSN to the one behind the last. */
function lsnAt({ firstLsn, lastLsn }: Model, part: number): number {
  return firstLsn + Math.floor(part * (lastLsn + 2 - firstLsn));
}

/** Goes on with the tail, or begins one, and takes all that is durable. */
export class Follow extends Step {
  constructor(
    readonly part: number,
    readonly leave: boolean,
  ) {
    super();
  }
  protected async does(model: Model, real: Real): Promise<void> {
    const { wal } = real;
    if (!real.tail) await atRest(model, real);
    if (!real.tail) {
      const from = lsnAt(model, this.part);
      real.tail = { entries: wal.tail({ from }), next: from };
    }
    const { tail } = real;
    while (tail.next <= wal.durableLsn) {
      const { value } = await tail.entries.next();
      expect(value?.lsn).toBe(tail.next);
      expect(value && Buffer.from(value.payload).toString()).toBe(
        model.records[tail.next - 1].text,
      );
      tail.next++;
    }
    if (!this.leave) return;
    const waiting = tail.entries.next();
    await tail.entries.return();
    // It waits, or what became durable meanwhile came first.
    const { value } = await waiting;
    if (value) expect(value.lsn).toBe(tail.next);
    real.tail = undefined;
  }
  toString = () => `follow(${this.part}, ${this.leave})`;
}

export class Retain extends Step {
  constructor(readonly part: number) {
    super();
  }
  protected async does(model: Model, real: Real): Promise<void> {
    await atRest(model, real);
    const { wal, leases } = real;
    leases.push({ lease: wal.retain(lsnAt(model, this.part)), lost: false });
  }
  toString = () => `retain(${this.part})`;
}

export class Advance extends Step {
  constructor(
    readonly which: number,
    readonly part: number,
  ) {
    super();
  }
  protected async does(model: Model, { leases }: Real): Promise<void> {
    const held = leases[this.which % Math.max(1, leases.length)];
    if (!held) return;
    const { lease, lost } = held;
    const to = lease.lsn + Math.floor(this.part * (model.lastLsn + 2 - lease.lsn));
    if (!lost) lease.advance(to);
    else
      expect(() => lease.advance(to)).toThrow(expect.objectContaining({ code: 'WAL_LEASE_LOST' }));
  }
  toString = () => `advance(${this.which}, ${this.part})`;
}

export class Release extends Step {
  constructor(readonly which: number) {
    super();
  }
  protected async does(_model: Model, { leases, sim }: Real): Promise<void> {
    const [held] = leases.splice(this.which % Math.max(1, leases.length), 1);
    held?.lease.release();
    await sim.settle();
  }
  toString = () => `release(${this.which})`;
}

export class TruncateBefore extends Step {
  constructor(readonly part: number) {
    super();
  }
  protected async does(model: Model, { wal }: Real): Promise<void> {
    const lsn = lsnAt(model, this.part);
    model.wanted = Math.max(model.wanted, lsn);
    await wal.truncateBefore(lsn);
  }
  toString = () => `truncateBefore(${this.part})`;
}

/** Cuts off the last `units` units, or what there is. */
export class TruncateAfter extends Step {
  constructor(readonly units: number) {
    super();
  }
  protected async does(model: Model, real: Real): Promise<void> {
    await atRest(model, real);
    const { wal } = real;
    const ends = [...model.unitEnds].filter((lsn) => lsn >= model.firstLsn - 1);
    const lsn = ends[Math.max(0, ends.length - 1 - this.units)];
    const { lastLsn, epoch } = await wal.truncateAfter(lsn);
    model.epoch++;
    model.cutAfter(lsn);
    expect({ lastLsn, epoch }).toEqual({ lastLsn: lsn, epoch: model.epoch });
    expect(wal.durableLsn).toBe(lsn);
    for (const held of real.leases) held.lost ||= held.lease.lsn > lsn + 1;
    await Promise.all(real.pending.splice(0));
    if (!real.tail || real.tail.next <= lsn + 1) return;
    const { entries } = real.tail;
    real.tail = undefined;
    await expect(entries.next()).rejects.toMatchObject({ code: 'WAL_TRUNCATED_AWAY' });
  }
  toString = () => `truncateAfter(${this.units})`;
}

export class Reopen extends Step {
  protected async does(model: Model, real: Real): Promise<void> {
    await real.tail?.entries.return();
    await real.wal.close();
    model.firstLsn = real.wal.firstLsn;
    await Promise.all(real.pending.splice(0));
    const { recovery } = await real.open();
    model.epoch++;
    expect(recovery).toMatchObject({
      verdict: 'clean',
      lastLsn: model.lastLsn,
      firstLsn: model.firstLsn,
      epoch: model.epoch,
    });
  }
  toString = () => 'reopen()';
}

/** The machine dies and another boots on what is left: what was promised is there, whole units only. */
export class Crash extends Step {
  constructor(
    readonly kind: CrashKind,
    readonly choice: number,
  ) {
    super();
  }
  protected async does(model: Model, real: Real): Promise<void> {
    const { wal, sim, options } = real;
    const always = (options.sync ?? 'always') === 'always';
    const promised = this.kind === 'kill' || always ? wal.durableLsn : wal.syncedLsn;
    const image = sim.crashImage({ kind: this.kind, choice: { seed: this.choice } });
    // What became of the old machine is no concern of anybody any more.
    for (const each of real.pending) each.catch(() => undefined);
    real.sim = SimVfs.fromImage(image, { seed: this.choice, record: false });
    const { recovery } = await real.sim.run(() => real.open());
    const { lastLsn, firstLsn, epoch } = recovery;
    expect(lastLsn).toBeGreaterThanOrEqual(promised);
    expect(lastLsn).toBeLessThanOrEqual(model.lastLsn);
    expect(model.unitEnds.has(lastLsn)).toBe(true);
    expect(epoch).toBeGreaterThan(model.epoch);
    // A cut of which only the cache knew may be undone.
    expect(firstLsn).toBeLessThanOrEqual(Math.max(1, model.wanted));
    model.cutAfter(lastLsn);
    Object.assign(model, { epoch, firstLsn, wanted: Math.max(firstLsn, 1) });
  }
  toString = () => `crash(${this.kind}, ${this.choice})`;
}
