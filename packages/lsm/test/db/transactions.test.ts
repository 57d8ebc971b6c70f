/**
 * Serializable transactions on the tree itself: whatever runs at the same time, those that committed read what they
 * would have read one after the other in the order of their commits. An order that fits is proof: there is no cycle.
 */
import { type Lsm, OracleError, type Transaction } from '@nendb/lsm';
import { Prng, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { propertySeeds } from '../seeds.js';
import { bytes, contents, openSim, text } from './sim-tree.js';

async function withTree(body: (db: Lsm, sim: SimVfs) => Promise<void>, seed = 1): Promise<void> {
  const sim = new SimVfs({ seed, record: false });
  await sim.run(async () => {
    const db = await openSim(sim, { sync: 'os' });
    await body(db, sim);
    await db.close();
  });
  sim.assertClean();
}

async function conflictOf(transaction: Transaction): Promise<string | undefined> {
  try {
    await transaction.commit();
    return undefined;
  } catch (error) {
    return (error as OracleError).code;
  }
}

function scan(transaction: Transaction, gte: string, lt: string): [string, string][] {
  const cursor = transaction.cursor({ gte: bytes(gte), lt: bytes(lt) });
  const found: [string, string][] = [];
  while (cursor.next()) found.push([text(cursor.key) ?? '', text(cursor.value) ?? '']);
  cursor.close();
  return found;
}

/** The same, others coming between its steps. */
async function scanSlowly(
  transaction: Transaction,
  gte: string,
  lt: string,
  dice: Prng,
): Promise<[string, string][]> {
  const cursor = transaction.cursor({ gte: bytes(gte), lt: bytes(lt) });
  const found: [string, string][] = [];
  while (cursor.next()) {
    found.push([text(cursor.key) ?? '', text(cursor.value) ?? '']);
    if (dice.below(3) === 0) await Promise.resolve();
  }
  cursor.close();
  return found;
}

describe('refused', () => {
  it('a lost update', async () => {
    await withTree(async (db) => {
      await db.put(bytes('counter'), bytes('1'));
      const [a, b] = [db.begin(), db.begin()];
      for (const each of [a, b]) {
        const count = Number(text(each.get(bytes('counter'))));
        each.put(bytes('counter'), bytes(`${count + 1}`));
      }
      expect(await conflictOf(a)).toBeUndefined();
      expect(await conflictOf(b)).toBe('TXN_CONFLICT');
      expect(text(db.get(bytes('counter')))).toBe('2');
    });
  });

  it('write skew', async () => {
    await withTree(async (db) => {
      await db.batch().put(bytes('x'), bytes('on call')).put(bytes('y'), bytes('on call')).write();
      const [a, b] = [db.begin(), db.begin()];
      expect(text(a.get(bytes('y')))).toBe('on call');
      a.put(bytes('x'), bytes('off'));
      expect(text(b.get(bytes('x')))).toBe('on call');
      b.put(bytes('y'), bytes('off'));
      expect(await conflictOf(a)).toBeUndefined();
      expect(await conflictOf(b)).toBe('TXN_CONFLICT');
    });
  });

  it.each(['put', 'delete', 'deleteRange', 'flush, then put'] as const)(
    'a phantom: a range that was read is changed by %s',
    async (how) => {
      await withTree(async (db) => {
        await db.put(bytes('k5'), bytes('1'));
        const reader = db.begin();
        expect(scan(reader, 'k0', 'k9')).toHaveLength(1);
        if (how === 'delete') await db.delete(bytes('k5'));
        else if (how === 'deleteRange') await db.deleteRange(bytes('k4'), bytes('k6'));
        else {
          if (how === 'flush, then put') await db.flush();
          await db.put(bytes('k7'), bytes('phantom'));
        }
        expect(scan(reader, 'k0', 'k9')).toHaveLength(1);
        reader.put(bytes('sum'), bytes('1'));
        expect(await conflictOf(reader)).toBe('TXN_CONFLICT');
      });
    },
  );

  it.each(['put', 'deleteRange'] as const)(
    'a phantom between two steps of a cursor, where a memtable has come between: %s',
    async (how) => {
      for (const reverse of [false, true]) {
        for (const limit of [5, Number.POSITIVE_INFINITY]) {
          await withTree(async (db) => {
            for (const n of [1, 3, 5, 7, 9]) await db.put(bytes(`k${n}`), bytes('1'));
            const reader = db.begin();
            const cursor = reader.cursor({ reverse, ...(limit === 5 && { limit }) });
            expect(cursor.next()).toBe(true);
            await db.flush();
            if (how === 'put') await db.put(bytes('k5'), bytes('2'));
            else await db.deleteRange(bytes('k4'), bytes('k6'));
            const found = [text(cursor.key)];
            while (cursor.next()) found.push(text(cursor.key));
            cursor.close();
            const all = ['k1', 'k3', 'k5', 'k7', 'k9'];
            expect(found).toEqual(reverse ? all.reverse() : all);
            reader.put(bytes('sum'), bytes('5'));
            expect(await conflictOf(reader)).toBe('TXN_CONFLICT');
          });
        }
      }
    },
  );

  it('a range that was deleted before it was read', async () => {
    await withTree(async (db) => {
      await db.put(bytes('k5'), bytes('1'));
      const late = db.begin();
      await db.deleteRange(bytes('k0'), bytes('k9'));
      expect(scan(late, 'k0', 'k9')).toHaveLength(1);
      late.put(bytes('other'), bytes('1'));
      expect(await conflictOf(late)).toBe('TXN_CONFLICT');
    });
  });

  it('a read that came too late: the version was newer when it was looked for', async () => {
    await withTree(async (db) => {
      await db.put(bytes('k'), bytes('old'));
      for (const read of ['point', 'range'] as const) {
        const late = db.begin();
        await db.put(bytes('k'), bytes('new'));
        if (read === 'point') expect(text(late.get(bytes('k')))).toBeDefined();
        else expect(scan(late, 'a', 'z')).toHaveLength(1);
        late.put(bytes('other'), bytes('1'));
        expect(await conflictOf(late)).toBe('TXN_CONFLICT');
      }
    });
  });

  it('a write after what was read has expired', async () => {
    await withTree(async (db, sim) => {
      const expireAtMs = sim.clock.wallMs() + 1000;
      await db.put(bytes('lease'), bytes('mine'), { expireAtMs });
      const holder = db.begin();
      expect(text(holder.get(bytes('lease')))).toBe('mine');
      holder.put(bytes('work'), bytes('done under the lease'));
      sim.jumpClock(2000);
      expect(await conflictOf(holder)).toBe('TXN_CONFLICT');
      expect(db.get(bytes('work'))).toBeUndefined();
    });
  });
});

describe('allowed', () => {
  it('reading only, whatever is written meanwhile; and a limit reads no further than it shows', async () => {
    await withTree(async (db) => {
      for (let i = 0; i < 9; i++) await db.put(bytes(`k${i}`), bytes('1'));
      const reader = db.begin({ readOnly: true });
      const first = db.begin();
      const cursor = first.cursor({ limit: 2 });
      expect([cursor.next(), cursor.next(), cursor.next()]).toEqual([true, true, false]);
      cursor.close();
      await db.put(bytes('k7'), bytes('2'));
      first.put(bytes('sum'), bytes('2'));
      expect(await conflictOf(first)).toBeUndefined();
      expect(scan(reader, 'k0', 'k9')).toHaveLength(9);
      expect(text(reader.get(bytes('k7')))).toBe('1');
      expect(() => reader.put(bytes('k'), bytes('v'))).toThrow(OracleError);
      expect(await conflictOf(reader)).toBeUndefined();
    });
  });

  it('transact: runs again what met a conflict, and gives up after retriesMax', async () => {
    await withTree(async (db) => {
      await db.put(bytes('n'), bytes('0'));
      const add = () =>
        db.transact(async (t) => {
          const n = Number(text(t.get(bytes('n'))));
          await Promise.resolve();
          t.put(bytes('n'), bytes(`${n + 1}`));
          return n;
        });
      await Promise.all([add(), add(), add(), add()]);
      expect(text(db.get(bytes('n')))).toBe('4');
      const hopeless = db.transact(
        async (t) => {
          t.get(bytes('n'));
          await db.put(bytes('n'), bytes('again'));
          t.put(bytes('m'), bytes('1'));
        },
        { retriesMax: 2 },
      );
      await expect(hopeless).rejects.toMatchObject({ code: 'TXN_CONFLICT' });
      expect(db.stats().transactions.open).toBe(0);
      expect(db.stats().snapshots).toBe(0);
    });
  });

  it('what a transaction has written is seen by itself alone', async () => {
    await withTree(async (db) => {
      for (const key of ['a', 'b', 'c', 'd']) await db.put(bytes(key), bytes('old'));
      const t = db.begin();
      t.put(bytes('b'), bytes('mine'));
      t.delete(bytes('c'));
      t.put(bytes('bb'), bytes('new'));
      expect(scan(t, 'a', 'z')).toEqual([
        ['a', 'old'],
        ['b', 'mine'],
        ['bb', 'new'],
        ['d', 'old'],
      ]);
      t.deleteRange(bytes('a'), bytes('bb'));
      expect(scan(t, 'a', 'z')).toEqual([
        ['bb', 'new'],
        ['d', 'old'],
      ]);
      expect(t.get(bytes('b'))).toBeUndefined();
      const back = t.cursor({ reverse: true });
      expect([back.next(), text(back.key), back.next(), text(back.key), back.next()]).toEqual([
        ...[true, 'd', true, 'bb', false],
      ]);
      back.close();
      expect(contents(db).map(([key]) => key)).toEqual(['a', 'b', 'c', 'd']);
      await t.commit();
      expect(contents(db)).toEqual([
        ['bb', 'new'],
        ['d', 'old'],
      ]);
      await expect(t.commit()).rejects.toMatchObject({ code: 'TXN_CLOSED' });
    });
  });
});

/** What a committed transaction read and wrote. */
interface Committed {
  /** Where it stands: behind the commit with this number, or before the one after it if it only read. */
  sequence: number;
  wrote: Map<string, string>;
  points: [string, string | undefined][];
  ranges: { gte: string; lt: string; found: [string, string][] }[];
}

const KEYS = 12;

async function client(db: Lsm, dice: Prng, name: number, history: Committed[]): Promise<void> {
  const key = () => `k${String(dice.below(KEYS)).padStart(2, '0')}`;
  for (let n = 0; n < 12; n++) {
    const done: Committed = { sequence: 0, wrote: new Map(), points: [], ranges: [] };
    const transaction = db.begin();
    for (let steps = 1 + dice.below(5); steps > 0; steps--) {
      const what = dice.below(4);
      if (what === 0) {
        const at = key();
        if (!done.wrote.has(at)) done.points.push([at, text(transaction.get(bytes(at)))]);
      } else if (what === 1 && done.wrote.size === 0) {
        const [gte, lt] = [key(), key()].sort();
        done.ranges.push({ gte, lt, found: await scanSlowly(transaction, gte, lt, dice) });
      } else if (what > 1) {
        const at = key();
        const value = `${name}-${n}-${steps}`;
        transaction.put(bytes(at), bytes(value));
        done.wrote.set(at, value);
      }
      if (dice.below(3) === 0) await Promise.resolve();
    }
    const snapshot = transaction.sequence;
    const committing = transaction.commit();
    done.sequence = done.wrote.size > 0 ? db.sequence : snapshot;
    const committed = await committing.then(
      () => true,
      () => false,
    );
    if (committed) history.push(done);
    if (dice.below(9) === 0) await db.flush();
  }
}

function replay(history: Committed[]): void {
  const state = new Map<string, string>();
  // One that only read stands behind the commit whose snapshot it took.
  history.sort((a, b) => a.sequence - b.sequence || b.wrote.size - a.wrote.size);
  for (const { points, ranges, wrote, sequence } of history) {
    for (const [key, value] of points) expect(state.get(key), `${sequence}`).toBe(value);
    for (const { gte, lt, found } of ranges) {
      const expected = [...state].filter(([key]) => key >= gte && key < lt).sort();
      expect(found, `${sequence}`).toEqual(expected);
    }
    for (const [key, value] of wrote) state.set(key, value);
  }
}

describe.each(propertySeeds('lsm transactions'))('seed %i', (seed) => {
  it('random concurrent transactions are serializable', async () => {
    let committed = 0;
    let conflicts = 0;
    for (let round = 0; round < 8; round++) {
      await withTree(async (db) => {
        const history: Committed[] = [];
        const clients = [1, 2, 3, 4, 5].map((name) =>
          client(db, new Prng(seed, round, name), name, history),
        );
        await Promise.all(clients);
        replay(history);
        committed += history.length;
        conflicts += db.stats().transactions.conflicts;
      }, seed + round);
    }
    expect(committed).toBeGreaterThan(150);
    expect(conflicts).toBeGreaterThan(15);
  });
});
