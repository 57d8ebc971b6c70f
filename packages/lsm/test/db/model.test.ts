/**
 * The tree against a sorted map, whatever is interleaved: writes of all kinds, snapshots, open cursors, flushes,
 * compactions, time, reopening, checkpoints; for each compaction style, with and without value log, compression
 * and encryption.
 */
import type { Lsm, LsmCursor, LsmOptions, LsmSnapshot } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { bytes, openSim, text } from './sim-tree.js';

interface Cell {
  value: string;
  expireAtMs: number;
}
type Model = Map<string, Cell>;

const KEYS = 24;
const keyText = (n: number): string =>
  `k${String(n % KEYS).padStart(2, '0')}${n % 3 === 0 ? 'long'.repeat(4) : ''}`;
const key = fc.nat(KEYS - 1).map(keyText);
const value = fc
  .tuple(fc.nat(99), fc.constantFrom(0, 3, 40, 200))
  .map(([n, length]) => `v${n}-${'x'.repeat(length)}`);
const ttlMs = fc.constantFrom(0, 0, 0, 1500, 60_000);
const range = fc.tuple(key, key).map(([a, b]) => (a < b ? { from: a, to: b } : { from: b, to: a }));

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('put' as const), key, value, ttlMs }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deleteRange' as const), range }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      changes: fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant('put' as const), key, value }),
          fc.record({ kind: fc.constant('delete' as const), key }),
          fc.record({ kind: fc.constant('deleteRange' as const), range }),
        ),
        { maxLength: 6 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('transact' as const),
      reads: fc.array(key, { maxLength: 3 }),
      key,
      value,
      abort: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('scan' as const), range, reverse: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('snapshot' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), nth: fc.nat(7) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cursor' as const), reverse: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('finish' as const), nth: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('compact' as const), range: fc.option(range) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(20, 1500, 60_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('checkpoint' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A cursor that was opened earlier, and what it has to show. */
interface OpenCursor {
  cursor: LsmCursor;
  expected: [string, string][];
}

/** Runs steps on a tree and on a map, and compares. */
class Run {
  model: Model = new Map();
  #db!: Lsm;
  #snapshots: { snapshot: LsmSnapshot; model: Model; timeMs: number }[] = [];
  #cursors: OpenCursor[] = [];
  #checkpoints = 0;

  constructor(
    readonly sim: SimVfs,
    readonly options: Partial<LsmOptions>,
  ) {}

  async run(steps: readonly Step[]): Promise<void> {
    this.#db = await openSim(this.sim, this.options);
    for (const each of steps) {
      await this.#step(each);
      expect(this.#db.health.healthy).toBe(true);
    }
    this.#letGo();
    this.#compareAll(this.#db);
    await this.#db.flush();
    await this.#db.compact();
    await this.#db.settle();
    this.#compareAll(this.#db);
    expect(await this.#db.verify()).toMatchObject({ ok: true, problems: [] });
    await this.#db.close();
  }

  get #nowMs(): number {
    return this.sim.clock.wallMs();
  }

  async #step(each: Step): Promise<void> {
    const db = this.#db;
    if (each.do === 'put') {
      const expireAtMs = each.ttlMs === 0 ? 0 : Math.floor(this.#nowMs) + each.ttlMs;
      await db.put(bytes(each.key), bytes(each.value), { expireAtMs });
      this.model.set(each.key, { value: each.value, expireAtMs });
    } else if (each.do === 'delete') {
      await db.delete(bytes(each.key));
      this.model.delete(each.key);
    } else if (each.do === 'deleteRange') {
      await db.deleteRange(bytes(each.range.from), bytes(each.range.to));
      this.#deleteRange(each.range);
    } else if (each.do === 'batch') {
      await this.#batch(each.changes);
    } else if (each.do === 'transact') {
      await this.#transact(each);
    } else if (each.do === 'get') {
      // Reading takes time, in which the entry may expire.
      const before = this.#valueIn(this.model, each.key, this.#nowMs);
      const found = [text(db.get(bytes(each.key))), text(await db.getAsync(bytes(each.key)))];
      const after = this.#valueIn(this.model, each.key, this.#nowMs);
      for (const value of found) expect([before, after]).toContain(value);
      const ready = db.prepare([bytes(each.key)]);
      if (ready !== true) await ready;
      expect(db.prepare([bytes(each.key)])).toBe(true);
    } else if (each.do === 'scan') {
      this.#scan(each.range, each.reverse);
    } else if (each.do === 'snapshot') {
      const timeMs = this.#nowMs;
      this.#snapshots.push({ snapshot: db.snapshot(), model: new Map(this.model), timeMs });
    } else if (each.do === 'release') {
      const [taken] = this.#snapshots.splice(each.nth % (this.#snapshots.length || 1), 1);
      if (taken !== undefined) this.#checkSnapshot(taken);
    } else if (each.do === 'cursor') {
      const expected = this.#live(this.model, this.#nowMs);
      if (each.reverse) expected.reverse();
      const cursor = db.cursor({ reverse: each.reverse });
      if (expected.length > 0) this.#advance({ cursor, expected });
      this.#cursors.push({ cursor, expected });
    } else if (each.do === 'finish') {
      const [open] = this.#cursors.splice(each.nth % (this.#cursors.length || 1), 1);
      if (open !== undefined) this.#finish(open);
    } else if (each.do === 'flush') {
      await db.flush();
    } else if (each.do === 'compact') {
      const within = each.range ?? undefined;
      await db.compact(within && { gte: bytes(within.from), lte: bytes(within.to) });
    } else if (each.do === 'settle') {
      await db.settle();
    } else if (each.do === 'wait') {
      this.sim.jumpClock(each.ms);
    } else if (each.do === 'reopen') {
      this.#letGo();
      await db.close();
      this.#db = await openSim(this.sim, this.options);
      this.#compareAll(this.#db);
    } else {
      const dir = `/copy${this.#checkpoints++}`;
      await db.checkpoint(dir);
      const copy = await openSim(this.sim, { ...this.options, dir });
      this.#compareAll(copy);
      await copy.put(bytes('only in the copy'), bytes('1'));
      await copy.close();
    }
  }

  async #batch(changes: Extract<Step, { do: 'batch' }>['changes']): Promise<void> {
    const batch = this.#db.batch();
    for (const change of changes) {
      if (change.kind === 'put') {
        batch.put(bytes(change.key), bytes(change.value));
        this.model.set(change.key, { value: change.value, expireAtMs: 0 });
      } else if (change.kind === 'delete') {
        batch.delete(bytes(change.key));
        this.model.delete(change.key);
      } else {
        batch.deleteRange(bytes(change.range.from), bytes(change.range.to));
        this.#deleteRange(change.range);
      }
    }
    await batch.write();
  }

  async #transact(each: Extract<Step, { do: 'transact' }>): Promise<void> {
    const nowMs = this.#nowMs;
    const transaction = this.#db.begin();
    for (const read of each.reads) {
      expect(text(transaction.get(bytes(read)))).toBe(this.#valueIn(this.model, read, nowMs));
    }
    transaction.put(bytes(each.key), bytes(each.value));
    expect(text(transaction.get(bytes(each.key)))).toBe(each.value);
    const own = new Map(this.model).set(each.key, { value: each.value, expireAtMs: 0 });
    const cursor = transaction.cursor();
    this.#finish({ cursor, expected: this.#live(own, nowMs) });
    if (each.abort) {
      transaction.abort();
    } else {
      await transaction.commit();
      this.model = own;
    }
  }

  #scan({ from, to }: { from: string; to: string }, reverse: boolean): void {
    const inside = this.#live(this.model, this.#nowMs).filter(
      ([each]) => each >= from && each < to,
    );
    if (reverse) inside.reverse();
    const bounds = { gte: bytes(from), lt: bytes(to), reverse };
    this.#finish({ cursor: this.#db.cursor(bounds), expected: inside });
    const all = this.#live(this.model, this.#nowMs);
    const cursor = this.#db.cursor({ reverse });
    cursor.seek(bytes(from));
    const rest = all.filter(([each]) => (reverse ? each <= from : each >= from));
    if (reverse) rest.reverse();
    this.#finish({ cursor, expected: rest });
  }

  #checkSnapshot({
    snapshot,
    model,
    timeMs,
  }: {
    snapshot: LsmSnapshot;
    model: Model;
    timeMs: number;
  }): void {
    for (let n = 0; n < KEYS; n++) {
      const found = text(this.#db.get(bytes(keyText(n)), { snapshot }));
      expect(found).toBe(this.#valueIn(model, keyText(n), timeMs));
    }
    const expected = this.#live(model, timeMs);
    this.#finish({ cursor: this.#db.cursor({ snapshot }), expected });
    snapshot.close();
  }

  #advance({ cursor, expected }: OpenCursor): void {
    const next = expected.shift();
    expect(cursor.next()).toBe(next !== undefined);
    if (next !== undefined) expect([text(cursor.key), text(cursor.value)]).toEqual(next);
  }

  #finish(open: OpenCursor): void {
    while (open.expected.length > 0) this.#advance(open);
    this.#advance(open);
    open.cursor.close();
  }

  #compareAll(db: Lsm): void {
    const snapshot = db.snapshot();
    const { timeMs } = snapshot;
    const expected = this.#live(this.model, timeMs);
    this.#finish({ cursor: db.cursor({ snapshot }), expected: [...expected] });
    this.#finish({ cursor: db.cursor({ snapshot, reverse: true }), expected: expected.reverse() });
    for (let n = 0; n < KEYS; n++) {
      const found = text(db.get(bytes(keyText(n)), { snapshot }));
      expect(found).toBe(this.#valueIn(this.model, keyText(n), timeMs));
    }
    snapshot.close();
  }

  #letGo(): void {
    for (const taken of this.#snapshots.splice(0)) this.#checkSnapshot(taken);
    for (const open of this.#cursors.splice(0)) this.#finish(open);
  }

  #deleteRange({ from, to }: { from: string; to: string }): void {
    for (const each of [...this.model.keys()])
      if (each >= from && each < to) this.model.delete(each);
  }

  #valueIn(model: Model, name: string, nowMs: number): string | undefined {
    const cell = model.get(name);
    if (cell === undefined) return undefined;
    return cell.expireAtMs === 0 || cell.expireAtMs > nowMs ? cell.value : undefined;
  }

  #live(model: Model, nowMs: number): [string, string][] {
    return [...model]
      .filter(([name]) => this.#valueIn(model, name, nowMs) !== undefined)
      .map(([name, cell]): [string, string] => [name, cell.value])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const VARIANTS: [string, Partial<LsmOptions>][] = [
  ['leveled', { compaction: 'leveled', sync: 'os' }],
  ['leveled, with a value log', { valueLog: { thresholdBytes: 30, fileBytes: 600 } }],
  ['size-tiered', { compaction: 'size-tiered', level0RunsCompact: 2 }],
  ['universal, with a value log', { compaction: 'universal', valueLog: { thresholdBytes: 150 } }],
  [
    'everything',
    {
      compression: 'deflate',
      encryption: { key: new Uint8Array(32).fill(7) },
      valueLog: { thresholdBytes: 30, fileBytes: 600 },
    },
  ],
];

describe.each(propertySeeds('lsm model'))('seed %i', (seed) => {
  it.each(VARIANTS)('a tree that is %s is a sorted map with versions', async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 70 }), async (steps) => {
        const sim = new SimVfs({ seed, record: false });
        await sim.run(() => new Run(sim, options).run(steps));
        sim.assertClean();
      }),
      { seed, numRuns: 9 },
    );
  });
});
