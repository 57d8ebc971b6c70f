/**
 * A negative expiry time, an offset outside its buffer, or database 16 was once encoded as it came.
 * The record got its LSN, could not be decoded, and no later opening could read the log. A write to
 * a database that does not exist went to namespace 0.
 */
import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { KEY_BYTES_MAX } from '../src/limits.js';
import type { TransactionView } from '../src/types.js';
import { stateOf } from './sim/state.js';
import { engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 41 });
});

const k = Buffer.from('key');
const h = Buffer.from('hash');
const v = Buffer.from('value');

function putBoth(tx: TransactionView): void {
  tx.putString(0, k, 0, 3, v, 0, 5, 0);
  tx.putField(0, h, 0, 4, k, 0, 3, v, 0, 5);
}

const BAD_NUMBERS = [-1, -(2 ** 40), 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];
const BAD_RUNS = [
  [-1, 3],
  [2, 1],
  [0, 4_000],
  [0.5, 1.5],
  [0, 1.5],
  [Number.NaN, 2],
  [0, Number.NaN],
] as const;

const MISUSES: [name: string, misuse: (tx: TransactionView) => void][] = [
  ...BAD_NUMBERS.flatMap((bad): typeof MISUSES => [
    [`put that ends at ${bad}`, (tx) => tx.putString(0, k, 0, 3, v, 0, 5, bad)],
    [`expiry at ${bad}`, (tx) => tx.setExpiry(0, k, 0, 3, bad)],
    [`patch at ${bad}`, (tx) => tx.patchString(0, k, 0, 3, bad, v, 0, 5, 10)],
    [`patch to a length of ${bad}`, (tx) => tx.patchString(0, k, 0, 3, 0, v, 0, 0, bad)],
  ]),
  ...BAD_RUNS.flatMap(([from, to]): typeof MISUSES => [
    [`put of key ${from} to ${to}`, (tx) => tx.putString(0, k, from, to, v, 0, 5, 0)],
    [`put of value ${from} to ${to}`, (tx) => tx.putString(0, k, 0, 3, v, from, to, 0)],
    [`patch of key ${from} to ${to}`, (tx) => tx.patchString(0, k, from, to, 0, v, 0, 5, 5)],
    [`patch of bytes ${from} to ${to}`, (tx) => tx.patchString(0, k, 0, 3, 0, v, from, to, 9_000)],
    [`remove of key ${from} to ${to}`, (tx) => tx.remove(0, k, from, to)],
    [`expiry of key ${from} to ${to}`, (tx) => tx.setExpiry(0, k, from, to, 5)],
    [`field of key ${from} to ${to}`, (tx) => tx.putField(0, h, from, to, k, 0, 3, v, 0, 5)],
    [`field ${from} to ${to}`, (tx) => tx.putField(0, h, 0, 4, k, from, to, v, 0, 5)],
    [`field value ${from} to ${to}`, (tx) => tx.putField(0, h, 0, 4, k, 0, 3, v, from, to)],
    [`field removed of key ${from} to ${to}`, (tx) => tx.removeField(0, h, from, to, k, 0, 3)],
    [`field removed ${from} to ${to}`, (tx) => tx.removeField(0, h, 0, 4, k, from, to)],
  ]),
  ...[-1, 16, 0.5, Number.NaN].flatMap((bad): typeof MISUSES => [
    [`find in database ${bad}`, (tx) => tx.find(bad, k, 0, 3)],
    [`scan of database ${bad}`, (tx) => tx.scan(bad, 0, 10, () => undefined)],
    [`count of database ${bad}`, (tx) => tx.keyCount(bad)],
    [`put to database ${bad}`, (tx) => tx.putString(bad, k, 0, 3, v, 0, 5, 0)],
    [`field to database ${bad}`, (tx) => tx.putField(bad, h, 0, 4, k, 0, 3, v, 0, 5)],
    [`flush of database ${bad}`, (tx) => tx.flushDatabase(bad)],
    [`swap of database ${bad} with 1`, (tx) => tx.swapDatabases(bad, 1)],
    [`swap of database 1 with ${bad}`, (tx) => tx.swapDatabases(1, bad)],
  ]),
];

describe('an argument that cannot be', () => {
  it('R7: is refused before anything of it is staged, and the log stays readable', async () => {
    await sim.run(async () => {
      let engine = await Engine.open(engineOptions(sim));
      putBoth(engine.begin());
      engine.commit();
      const before = stateOf(engine);
      for (const [name, misuse] of MISUSES) {
        const tx = engine.begin();
        expect(() => misuse(tx), name).toThrow(RangeError);
        expect(engine.commit(), name).toBe(1);
        expect(stateOf(engine), name).toBe(before);
      }
      await engine.close();
      engine = await Engine.open(engineOptions(sim));
      expect(stateOf(engine)).toBe(before);
      await engine.close();
    });
  });

  it('is refused by prepare too', async () => {
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      expect(engine.prepare(15, [k])).toBe(true);
      expect(() => engine.prepare(16, [k])).toThrow(/database from 0 to 15, got 16/);
      await engine.close();
    });
  });

  it('R7: a name longer than a store can hold is refused when written and missing when read', async () => {
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      const long = new Uint8Array(KEY_BYTES_MAX + 1);
      const tx = engine.begin();
      const tooLarge = expect.objectContaining({ code: 'ENGINE_TOO_LARGE' });
      expect(() => tx.putString(0, long, 0, long.length, v, 0, 5, 0)).toThrow(tooLarge);
      expect(() => tx.putField(0, long, 0, long.length, k, 0, 3, v, 0, 5)).toThrow(tooLarge);
      expect(() => tx.putField(0, h, 0, 4, long, 0, long.length, v, 0, 5)).toThrow(tooLarge);
      expect(() => tx.patchString(0, long, 0, long.length, 0, v, 0, 5, 5)).toThrow(tooLarge);
      putBoth(tx);
      expect(tx.find(0, long, 0, long.length)).toBeUndefined();
      expect(tx.findField(0, h, 0, 4, long, 0, long.length)).toBeUndefined();
      expect(tx.remove(0, long, 0, long.length)).toBe(false);
      expect(tx.removeField(0, h, 0, 4, long, 0, long.length)).toBe(false);
      engine.abort();
      await engine.close();
    });
  });
});

describe('a transaction that has ended', () => {
  it('R8: takes no more writes: they would be lost, or become part of the next one', async () => {
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      const ended = engine.begin();
      putBoth(ended);
      engine.commit();
      for (const use of [
        () => putBoth(ended),
        () => ended.remove(0, k, 0, 3),
        () => ended.find(0, k, 0, 3),
        () => ended.keyCount(0),
        () => ended.flushDatabase(0),
        () => ended.flushAll(),
        () => ended.swapDatabases(0, 1),
      ]) {
        expect(use).toThrow(/expected an open transaction, it has ended/);
      }
      engine.begin();
      engine.abort();
      expect(() => ended.flushAll()).toThrow(/it has ended/);
      await engine.close();
    });
  });

  it('leaves nothing of a flush or a swap when it is aborted', async () => {
    await sim.run(async () => {
      const engine = await Engine.open(engineOptions(sim));
      putBoth(engine.begin());
      engine.commit();
      const before = stateOf(engine);
      const tx = engine.begin();
      tx.swapDatabases(0, 15);
      tx.flushAll();
      tx.putString(15, k, 0, 3, v, 0, 5, 0);
      expect([tx.keyCount(0), tx.keyCount(15)]).toEqual([0, 1]);
      engine.abort();
      expect(stateOf(engine)).toBe(before);
      await engine.close();
    });
  });
});
