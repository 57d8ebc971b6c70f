/**
 * Random commits, expiry and swaps beside random watches: a watch has changed exactly if one of its
 * keys was written, or is not what it was.
 */
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { ValueType } from '../src/stores/store.js';
import type { TransactionView, WatchView } from '../src/types.js';
import { engineOptions } from './sim/workload.js';

const DATABASES = [0, 1];
const NAMES = ['a', 'b', 'c'];
const FIELDS = ['f', 'g'];
const EVERY_NAME = DATABASES.flatMap((database) => NAMES.map((name) => `${database}${name}`));

/** A name is the database's digit and the key. */
const name = fc.constantFrom(...EVERY_NAME);
const field = fc.constantFrom(...FIELDS);
/** Milliseconds from now; 0 for never. */
const lifeMs = fc.constantFrom(0, 0, 20, 70, 1_000);

const anyChange = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), name, lifeMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('setExpiry' as const), name, lifeMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('patch' as const), name }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('putField' as const), name, field }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('removeField' as const), name, field }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('setFieldExpiry' as const), name, field, lifeMs }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy' as const), name, to: name }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('flush' as const), database: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'swap' as const }) },
);
type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never;

const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.array(anyChange, { minLength: 1, maxLength: 3 }) },
  { weight: 4, arbitrary: fc.record({ watch: fc.array(name, { minLength: 1, maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ waitMs: fc.constantFrom(15, 60, 250) }) },
);

interface Watched {
  watch: WatchView;
  names: Set<string>;
  changed: boolean;
}

function split(of: string): { database: number; key: Buffer } {
  return { database: Number(of[0]), key: Buffer.from(of.slice(1)) };
}

/** What lives under a name, as text that can be compared; empty where nothing does. */
function contents(tx: TransactionView, of: string): string {
  const { database, key } = split(of);
  const view = tx.find(database, key, 0, key.length);
  if (view === undefined) return '';
  const { type, expireAtMs, length } = view;
  if (type === ValueType.string) return `${expireAtMs} ${Buffer.from(view.bytes())}`;
  const fields: string[] = [];
  tx.scanFields(database, key, 0, key.length, 0, 100, (found, value) => {
    fields.push(`${Buffer.from(found)}@${value.expireAtMs}`);
  });
  return `${expireAtMs} ${length} ${fields.sort()}`;
}

/** Makes a change; returns the names that it has written. */
function make(tx: TransactionView, change: Change): string[] {
  if (change.do === 'swap') {
    const touched = EVERY_NAME.filter((each) =>
      DATABASES.some((database) => contents(tx, `${database}${each.slice(1)}`) !== ''),
    );
    tx.swapDatabases(0, 1);
    return touched;
  }
  if (change.do === 'flush') {
    const { database } = change;
    const touched = EVERY_NAME.filter(
      (each) => (database === 2 || each[0] === `${database}`) && contents(tx, each) !== '',
    );
    if (database === 2) tx.flushAll();
    else tx.flushDatabase(database);
    return touched;
  }
  const { database, key } = split(change.name);
  const holds = tx.find(database, key, 0, key.length)?.type;
  const ends = 'lifeMs' in change && change.lifeMs > 0 ? tx.nowMs + change.lifeMs : 0;
  const of = Buffer.from('field' in change ? change.field : '');
  let done = true;
  switch (change.do) {
    case 'put':
      tx.putString(database, key, 0, key.length, key, 0, key.length, ends);
      break;
    case 'patch':
      if (holds === ValueType.hash) return [];
      tx.patchString(database, key, 0, key.length, 1, key, 0, key.length, 1 + key.length);
      break;
    case 'putField':
      if (holds === ValueType.string) return [];
      tx.putField(database, key, 0, key.length, of, 0, of.length, key, 0, key.length);
      break;
    case 'remove':
      done = tx.remove(database, key, 0, key.length);
      break;
    case 'setExpiry':
      done = tx.setExpiry(database, key, 0, key.length, ends);
      break;
    case 'removeField':
      done = tx.removeField(database, key, 0, key.length, of, 0, of.length);
      break;
    case 'setFieldExpiry':
      done = tx.setFieldExpiry(database, key, 0, key.length, of, 0, of.length, ends);
      break;
    case 'copy': {
      if (change.to === change.name) return [];
      const to = split(change.to);
      const { length } = to.key;
      done = tx.copy(database, key, 0, key.length, to.database, to.key, 0, length);
      return done ? [change.to] : [];
    }
  }
  return done ? [change.name] : [];
}

async function play(
  steps: readonly (typeof anyStep extends fc.Arbitrary<infer T> ? T : never)[],
  activeExpiry: boolean,
): Promise<number> {
  const sim = new SimVfs({ seed: 7 });
  let changedCount = 0;
  await sim.run(async () => {
    const engine = await Engine.open({ ...engineOptions(sim, 'os'), activeExpiry });
    const watches: Watched[] = [];
    const touch = (touched: readonly string[]): void => {
      for (const each of watches) each.changed ||= touched.some((of) => each.names.has(of));
    };
    const look = (): string[] => {
      const tx = engine.begin();
      const all = EVERY_NAME.map((each) => contents(tx, each));
      engine.abort();
      return all;
    };
    let last = look();
    for (const step of steps) {
      if ('waitMs' in step) {
        await new Promise<void>((resolve) => sim.timers.after(step.waitMs, resolve));
      }
      const now = look();
      touch(EVERY_NAME.filter((_, i) => now[i] !== last[i]));
      if ('watch' in step) {
        const watch = engine.watch();
        for (const each of step.watch) {
          const { database, key } = split(each);
          watch.add(database, key, 0, key.length);
        }
        watches.push({ watch, names: new Set(step.watch), changed: false });
      } else if (Array.isArray(step)) {
        const tx = engine.begin();
        const touched = step.flatMap((change) => make(tx, change));
        engine.commit();
        touch(touched);
      }
      last = look();
      for (const { watch, names, changed } of watches) {
        expect(watch.changed(), `${[...names]} after ${JSON.stringify(step)}`).toBe(changed);
      }
    }
    changedCount = watches.filter(({ changed }) => changed).length;
    await engine.close();
  });
  return changedCount;
}

describe('a watch has changed exactly if a key of it has', () => {
  const rotating = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

  it.each([1, 20_261_120, rotating])('NENDB_SEED=%i', async (seed) => {
    let changedCount = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { minLength: 20, maxLength: 60, size: 'max' }),
        fc.boolean(),
        async (steps, activeExpiry) => {
          changedCount += await play(steps, activeExpiry);
        },
      ),
      { seed, numRuns: 50 },
    );
    expect(changedCount).toBeGreaterThan(100);
  });
});
