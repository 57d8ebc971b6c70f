import { SimVfs } from '@nendb/vfs/sim';
import { beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.js';
import { WATCH_NAME_BYTES_MAX } from '../src/limits.js';
import type { TransactionView, WatchView } from '../src/types.js';
import { engineOptions } from './sim/workload.js';

let sim: SimVfs;
beforeEach(() => {
  sim = new SimVfs({ seed: 51 });
});

const wait = (ms: number) => new Promise<void>((resolve) => sim.timers.after(ms, resolve));

interface Subject {
  engine: Engine;
  /** Makes one commit. */
  change(body: (tx: TransactionView) => void): void;
  /** Watches keys of database 0. */
  watch(...names: string[]): WatchView;
}

async function withEngine(
  body: (subject: Subject) => void | Promise<void>,
  options: { activeExpiry?: boolean } = {},
): Promise<void> {
  await sim.run(async () => {
    const engine = await Engine.open({ ...engineOptions(sim), ...options });
    await body({
      engine,
      change(make) {
        make(engine.begin());
        engine.commit();
      },
      watch(...names) {
        const watch = engine.watch();
        for (const name of names) add(watch, 0, name);
        return watch;
      },
    });
    await engine.close();
  });
}

function add(watch: WatchView, database: number, name: string): void {
  const key = Buffer.from(name);
  watch.add(database, key, 0, key.length);
}

function put(tx: TransactionView, name: string, expireAtMs = 0, database = 0): void {
  const key = Buffer.from(name);
  tx.putString(database, key, 0, key.length, key, 0, key.length, expireAtMs);
}

function remove(tx: TransactionView, name: string): boolean {
  const key = Buffer.from(name);
  return tx.remove(0, key, 0, key.length);
}

function putField(tx: TransactionView, name: string, field: string, expireAtMs = 0): void {
  const [key, of] = [Buffer.from(name), Buffer.from(field)];
  tx.putField(0, key, 0, key.length, of, 0, of.length, key, 0, key.length);
  if (expireAtMs > 0) tx.setFieldExpiry(0, key, 0, key.length, of, 0, of.length, expireAtMs);
}

describe('a watched key has changed', () => {
  it('when it is written, if only with what it held', async () => {
    await withEngine(({ change, watch }) => {
      change((tx) => put(tx, 'a'));
      const [same, other, missing] = [watch('a'), watch('b', 'c'), watch('new')];
      change((tx) => put(tx, 'a'));
      change((tx) => put(tx, 'new'));
      expect([same, other, missing].map((each) => each.changed())).toEqual([true, false, true]);
      expect([same, other, missing].map((each) => each.keys)).toEqual([0, 2, 0]);
    });
  });

  it('when it came and went since', async () => {
    await withEngine(({ change, watch }) => {
      const missing = watch('a');
      change((tx) => {
        put(tx, 'a');
        remove(tx, 'a');
      });
      expect(missing.changed()).toBe(true);
    });
  });

  it('but not by a write before it was added, one that is aborted, or one that does nothing', async () => {
    await withEngine(({ engine, change, watch }) => {
      change((tx) => put(tx, 'a'));
      const watched = watch('a', 'b');
      put(engine.begin(), 'a');
      engine.abort();
      change((tx) => expect(remove(tx, 'b')).toBe(false));
      change((tx) => tx.flushDatabase(1));
      change((tx) => tx.swapDatabases(0, 0));
      expect(watched.changed()).toBe(false);
    });
  });

  it('when it has ended, though nobody has looked', async () => {
    await withEngine(async ({ engine, change, watch }) => {
      change((tx) => put(tx, 'a', engine.nowMs() + 50));
      const watched = watch('b', 'a');
      expect(watched.changed()).toBe(false);
      await wait(60);
      expect(engine.stats().store.keys).toBe(1);
      expect(watched.changed()).toBe(true);
    });
  });

  it('but not when what had ended before is removed', async () => {
    await withEngine(
      async ({ engine, change, watch }) => {
        change((tx) => {
          put(tx, 'a', engine.nowMs() + 5);
          putField(tx, 'h', 'f', engine.nowMs() + 5);
          putField(tx, 'h', 'g');
          putField(tx, 'gone', 'f', engine.nowMs() + 5);
        });
        await wait(10);
        expect(engine.stats().store.keys).toBe(3);
        const watched = watch('a', 'h', 'gone');
        await wait(500);
        expect(engine.stats()).toMatchObject({ expiredKeys: 1, expiredFields: 2 });
        expect(engine.stats().store.keys).toBe(1);
        expect(watched.changed()).toBe(false);
        change((tx) => put(tx, 'a'));
        expect(watched.changed()).toBe(true);
      },
      { activeExpiry: true },
    );
  });

  it.each([true, false])(
    'when a field of it has ended (active expiry: %s)',
    async (activeExpiry) => {
      await withEngine(
        async ({ engine, change, watch }) => {
          change((tx) => {
            putField(tx, 'h', 'f', engine.nowMs() + 50);
            putField(tx, 'h', 'g', engine.nowMs() + 5_000);
          });
          const watched = watch('h');
          await wait(20);
          expect(watched.changed()).toBe(false);
          await wait(980);
          const later = watch('h');
          expect([watched.changed(), later.changed()]).toEqual([true, false]);
          await wait(9_000);
          expect(later.changed()).toBe(true);
        },
        { activeExpiry },
      );
    },
  );

  it('when its last field ended and it is there again, as large as it was', async () => {
    await withEngine(
      async ({ engine, change, watch }) => {
        change((tx) => putField(tx, 'h', 'f', engine.nowMs() + 50));
        const watched = watch('h');
        await wait(500);
        expect(engine.stats().store.keys).toBe(0);
        change((tx) => putField(tx, 'h', 'f'));
        expect(watched.changed()).toBe(true);
      },
      { activeExpiry: true },
    );
  });

  it('when its database is emptied, unless it was missing', async () => {
    await withEngine(({ engine, change, watch }) => {
      for (const empty of [
        (tx: TransactionView) => tx.flushDatabase(0),
        (tx: TransactionView) => tx.flushAll(),
      ]) {
        change((tx) => put(tx, 'a'));
        change((tx) => put(tx, 'b', 0, 1));
        const [present, missing, elsewhere] = [watch('a', 'z'), watch('z'), engine.watch()];
        add(elsewhere, 2, 'a');
        change(empty);
        expect([present, missing, elsewhere].map((each) => each.changed())).toEqual([
          true,
          false,
          false,
        ]);
        // It is watched by database and name: what the name stands for from here on is watched.
        change((tx) => put(tx, 'z'));
        expect(missing.changed()).toBe(true);
        change((tx) => remove(tx, 'z'));
      }
    });
  });

  it('when its database is swapped, in both, unless it is missing before and after', async () => {
    await withEngine(({ engine, change }) => {
      change((tx) => {
        put(tx, 'here', 0, 0);
        put(tx, 'there', 0, 1);
        put(tx, 'both', 0, 0);
        put(tx, 'both', 0, 1);
      });
      const watches = [0, 1, 2].flatMap((database) =>
        ['here', 'there', 'both', 'nowhere'].map((name) => {
          const watch = engine.watch();
          add(watch, database, name);
          return watch;
        }),
      );
      change((tx) => tx.swapDatabases(0, 1));
      const [yes, no] = [true, false];
      expect(watches.map((each) => each.changed())).toEqual([
        ...[yes, yes, yes, no],
        ...[yes, yes, yes, no],
        ...[no, no, no, no],
      ]);
      // Those that are left follow the database, not what it held.
      change((tx) => put(tx, 'nowhere', 0, 0));
      expect([watches[3].changed(), watches[7].changed()]).toEqual([true, false]);
    });
  });

  it('when a swap brings it, though the same commit takes it away again', async () => {
    await withEngine(({ change, watch }) => {
      change((tx) => put(tx, 'a', 0, 1));
      const watched = watch('a');
      change((tx) => {
        tx.swapDatabases(0, 1);
        remove(tx, 'a');
      });
      expect(watched.changed()).toBe(true);
    });
  });

  it('but not when a swap brings one that has ended', async () => {
    await withEngine(async ({ engine, change, watch }) => {
      change((tx) => put(tx, 'a', engine.nowMs() + 5, 1));
      await wait(10);
      const watched = watch('a');
      change((tx) => tx.swapDatabases(0, 1));
      expect(watched.changed()).toBe(false);
    });
  });
});

describe('a watch', () => {
  it('that has ended is told nothing, and may be ended again', async () => {
    await withEngine(({ engine, change, watch }) => {
      const watched = watch('a', 'b');
      expect(engine.stats()).toMatchObject({ watches: 1, watchedKeys: 2 });
      watched.end();
      watched.end();
      expect(engine.stats()).toMatchObject({ watches: 0, watchedKeys: 0 });
      change((tx) => put(tx, 'a'));
      expect(watched.changed()).toBe(false);
      expect(watched.keys).toBe(0);
    });
  });

  it('that has changed stays so, whatever is added or ends', async () => {
    await withEngine(({ change, watch }) => {
      const watched = watch('a');
      change((tx) => put(tx, 'a'));
      add(watched, 0, 'b');
      change((tx) => remove(tx, 'a'));
      expect(watched.changed()).toBe(true);
      watched.end();
      expect(watched.changed()).toBe(true);
    });
  });

  it('takes keys of any length, and tells them apart by their last byte', async () => {
    await withEngine(({ engine, change }) => {
      const long = Buffer.alloc(3_000_000, 'k');
      const [watched, other] = [engine.watch(), engine.watch()];
      watched.add(0, long, 0, long.length);
      other.add(0, long, 0, long.length - 1);
      change((tx) => tx.putString(0, long, 0, long.length, long, 0, 1, 0));
      expect([watched.changed(), other.changed()]).toEqual([true, false]);
    });
  });

  it('of very many keys is careful: what it has no room to know has changed', async () => {
    await withEngine(async ({ engine, change }) => {
      const name = (i: number) => `${i}`.padEnd(4000, '-');
      const watched = engine.watch();
      const count = Math.ceil(WATCH_NAME_BYTES_MAX / 4000) + 1;
      for (let i = 0; i < count; i++) add(watched, 0, name(i));
      change((tx) => put(tx, 'a', 0, 3));
      change((tx) => tx.swapDatabases(2, 3));
      expect(watched.changed()).toBe(false);
      change((tx) => tx.swapDatabases(0, 2));
      expect(watched.changed()).toBe(true);

      change((tx) => {
        for (let i = 0; i < count; i++) {
          putField(tx, `${i}-${'h'.repeat(4000)}`, 'f', engine.nowMs() + 1_000_000);
        }
      });
      const hashes = engine.watch();
      for (let i = 0; i < count; i++) add(hashes, 0, `${i}-${'h'.repeat(4000)}`);
      await wait(900_000);
      expect(hashes.changed()).toBe(false);
      await wait(200_000);
      expect(hashes.changed()).toBe(true);
    });
  });

  it('is refused by an engine that is closed', async () => {
    await withEngine(async ({ engine }) => {
      await engine.close();
      expect(() => engine.watch()).toThrow(expect.objectContaining({ code: 'ENGINE_CLOSED' }));
    });
  });
});
