/**
 * One recorded life of a log, made of everything that it can do, and what it had promised when.
 *
 * `truncateAfter` ends a timeline and begins another: while it runs, a crash may leave either.
 */
import { Prng, SimVfs } from '@nendb/vfs/sim';
import type { Lease, SyncPolicy, Wal, WalEntry, WalOptions } from '@nendb/wal';
import { openSim } from '../sim-log.js';

interface Mark {
  at: number;
  lsn: number;
}

/** What the log may hold if the machine dies between the changes `from` and `until`. */
export class Timeline {
  /** LSN n is at index n - 1. */
  readonly payloads: string[];
  readonly unitEnds = new Set<number>([0]);
  readonly durable: Mark[] = [];
  readonly synced: Mark[] = [];
  /** With the operating system: there after a kill. */
  readonly written: Mark[] = [];
  readonly cuts: Mark[] = [];
  until = Number.POSITIVE_INFINITY;

  constructor(
    readonly from: number,
    payloads: string[],
    readonly mark: string,
  ) {
    this.payloads = payloads;
  }

  /** The same up to `lsn`, from change `from` on. */
  cutAt(lsn: number, from: number): Timeline {
    const next = new Timeline(from, this.payloads.slice(0, lsn), `${this.mark}'`);
    for (const end of this.unitEnds) if (end <= lsn) next.unitEnds.add(end);
    next.durable.push({ at: 0, lsn });
    next.synced.push({ at: 0, lsn });
    next.cuts.push(...this.cuts);
    return next;
  }

  send(bytes: number): Buffer {
    const lsn = this.payloads.length + 1;
    const text = `${lsn}${this.mark}|`.padEnd(bytes, `${lsn % 10}`);
    this.payloads.push(text);
    return Buffer.from(text);
  }

  sent(wal: Wal): void {
    this.payloads.length = wal.lastLsn;
    this.unitEnds.add(wal.lastLsn);
  }

  /** Why a log with these records, from `firstLsn` on, is not what may be left at `at`. */
  problem(
    records: readonly string[],
    firstLsn: number,
    at: number,
    kept: 'durable' | 'synced' | 'written',
  ): string | undefined {
    if (at < this.from || at > this.until) return 'it is another time';
    const lastLsn = firstLsn + records.length - 1;
    const floor = Math.max(
      promised(this[kept], at),
      kept === 'written' ? promised(this.durable, at) : 0,
    );
    if (lastLsn < floor) return `LSN ${floor} was acknowledged, ${lastLsn} is the last`;
    if (!this.unitEnds.has(lastLsn)) return `LSN ${lastLsn} ends no unit`;
    const cut = Math.max(1, promised(this.cuts, at));
    if (firstLsn > cut) return `the log begins at ${firstLsn}, it was cut below ${cut}`;
    for (let i = 0; i < records.length; i++) {
      if (records[i] !== this.payloads[firstLsn - 1 + i]) return `LSN ${firstLsn + i} is another`;
    }
    return undefined;
  }
}

function promised(marks: readonly Mark[], at: number): number {
  let best = 0;
  for (const mark of marks) if (mark.at <= at && mark.lsn > best) best = mark.lsn;
  return best;
}

export interface Life {
  seed: number;
  sim: SimVfs;
  options: Partial<WalOptions>;
  timelines: Timeline[];
  rotations: number;
  cutsBack: number;
  tailed: number;
}

const POLICIES: SyncPolicy[] = ['always', 'always', 'os', { windowMs: 3 }, { every: 4 }];
/** Deriving keys takes half of the time of an opening: few lives do. */
const FORMS: Partial<WalOptions>[] = [
  {},
  {},
  {},
  {},
  {},
  { compression: 'deflate' },
  { compression: 'deflate' },
  { encryption: { key: new Uint8Array(32).fill(5) } },
];

/** Lives `steps` steps by the dice of `seed`. Throws where a tail yields what it must not. */
export async function live(seed: number, steps: number): Promise<Life> {
  const dice = new Prng(seed, 2);
  const options: Partial<WalOptions> = {
    ...FORMS[dice.below(FORMS.length)],
    sync: POLICIES[dice.below(POLICIES.length)],
    preallocate: dice.below(4) !== 0,
    preallocateBytes: 512 << dice.below(2),
    segmentBytesMax: 4096,
    leaseBytesMax: dice.below(2) === 0 ? 8192 : 1 << 20,
    // Every other seed syncs in the pool: then others come while a sync runs.
    inlineSyncMsMax: seed % 2,
  };
  const sim = new SimVfs({ seed });
  let now = new Timeline(0, [], 'a');
  const life: Life = { seed, sim, options, timelines: [now], rotations: 0, cutsBack: 0, tailed: 0 };
  const bytes = (): number => dice.below(dice.below(3) === 0 ? 2200 : 200);
  await sim.run(async () => {
    let { wal } = await openSim(sim, options);
    wal.onDurable((lsn) => now.durable.push({ at: sim.changeCount, lsn }));
    const pending: Promise<unknown>[] = [];
    const leases: Lease[] = [];
    let tail: AsyncGenerator<WalEntry, void> | undefined;
    const append = (): Promise<unknown> => {
      const position = wal.append(now.send(bytes()));
      now.sent(wal);
      return position;
    };
    for (let left = steps; left > 0; left--) {
      const what = dice.below(16);
      if (what < 4) await append();
      else if (what < 6) pending.push(append(), append());
      else if (what < 8) {
        pending.push(
          wal.appendBatch(Array.from({ length: 1 + dice.below(4) }, () => now.send(bytes()))),
        );
        now.sent(wal);
      } else if (what === 8 && dice.below(2) === 0) {
        wal.submitWritten(now.send(bytes()));
        now.sent(wal);
        now.written.push({ at: sim.changeCount, lsn: wal.lastLsn });
      } else if (what === 8) {
        wal.appendSync(now.send(bytes()));
        now.sent(wal);
      } else if (what === 9) {
        await wal.sync();
        now.synced.push({ at: sim.changeCount, lsn: wal.syncedLsn });
      } else if (what === 10) await sim.settle(dice.below(400));
      else if (what === 11) {
        const cut = dice.below(wal.lastLsn + 2);
        now.cuts.push({ at: sim.changeCount, lsn: cut });
        await wal.truncateBefore(cut);
      } else if (what === 12) {
        if (leases.length > 0 && dice.below(2) === 0) leases.pop()?.release();
        else leases.push(wal.retain(wal.firstLsn + dice.below(wal.lastLsn + 2 - wal.firstLsn)));
      } else if (what === 13) {
        tail ??= wal.tail({ from: wal.firstLsn });
        for (let more = 1 + dice.below(5); more > 0; more--) {
          const entry = await within(sim, tail.next());
          if (!entry) break;
          life.tailed++;
          const text = Buffer.from(entry.payload).toString();
          if (entry.lsn > wal.durableLsn || text !== now.payloads[entry.lsn - 1]) {
            throw new Error(`seed ${seed}: the tail yields LSN ${entry.lsn} (${text.slice(0, 9)})`);
          }
        }
        await tail.return();
        tail = undefined;
      } else if (what === 14 && wal.lastLsn >= wal.firstLsn) {
        await Promise.all(pending.splice(0));
        // What a lease has let go is removed in the background: then the log begins elsewhere.
        await wal.truncateBefore(0);
        const ends = [...now.unitEnds].filter(
          (lsn) => lsn >= wal.firstLsn - 1 && lsn <= wal.lastLsn,
        );
        const lsn = ends[dice.below(ends.length)];
        const next = now.cutAt(lsn, sim.changeCount);
        await wal.truncateAfter(lsn);
        now.until = sim.changeCount;
        now = next;
        life.timelines.push(now);
        life.cutsBack++;
      } else if (what === 15) {
        await Promise.all(pending.splice(0));
        life.rotations += wal.stats.rotations;
        await wal.close();
        leases.length = 0;
        now.synced.push({ at: sim.changeCount, lsn: wal.syncedLsn });
        now.durable.push({ at: sim.changeCount, lsn: wal.syncedLsn });
        ({ wal } = await openSim(sim, options));
        wal.onDurable((lsn) => now.durable.push({ at: sim.changeCount, lsn }));
      }
    }
    await Promise.all(pending);
    life.rotations += wal.stats.rotations;
  });
  return life;
}

/** What a tail yields now, or nothing where it waits. */
function within(
  sim: SimVfs,
  next: Promise<IteratorResult<WalEntry, void>>,
): Promise<WalEntry | undefined> {
  const entry = next.then(
    ({ value }) => value ?? undefined,
    () => undefined,
  );
  return Promise.race([entry, sim.settle(30).then(() => undefined)]);
}
