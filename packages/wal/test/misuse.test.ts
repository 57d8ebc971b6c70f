import type { Lsn } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { Record, Wal, type WalOptions } from '../src/index.js';

const bytes = (text: string) => Buffer.from(text);

async function withLog(
  options: Partial<WalOptions>,
  body: (wal: Wal, sim: SimVfs) => Promise<void>,
): Promise<void> {
  const sim = new SimVfs({ seed: 5 });
  await sim.run(async () => {
    const { wal } = await Wal.open({ dir: '/log', vfs: sim, ...options });
    await body(wal, sim);
    await wal.close();
  });
}

describe('what is no record', () => {
  const wrong = [
    'hello',
    new Uint16Array([300, 301]),
    [1, 2],
    5,
    new ArrayBuffer(3),
    undefined,
    null,
  ];

  it('is refused by every way to append, and takes no LSN', async () => {
    await withLog({}, async (wal) => {
      for (const value of wrong) {
        const record = value as unknown as Uint8Array;
        const refusal = expect.objectContaining({
          code: 'WAL_BAD_OPTION',
          message: expect.stringMatching(/Uint8Array/),
        });
        await expect(wal.append(record)).rejects.toEqual(refusal);
        await expect(wal.appendBatch([bytes('a'), record])).rejects.toEqual(refusal);
        expect(() => wal.appendSync(record)).toThrow(refusal);
        expect(() => wal.submit(record)).toThrow(refusal);
        expect(() => wal.submitWritten(record)).toThrow(refusal);
      }
      await expect(wal.appendBatch(bytes('a') as never)).rejects.toMatchObject({
        code: 'WAL_BAD_OPTION',
      });
      expect(wal.lastLsn).toBe(0);
    });
  });
});

describe('an option that is none', () => {
  const refusal = (text: RegExp) =>
    expect.objectContaining({
      name: 'WalError',
      code: 'WAL_BAD_OPTION',
      message: expect.stringMatching(text),
    });

  it.each<[object | null | undefined, RegExp]>([
    [undefined, /expected the options to be \{ dir, \.\.\. \}, got undefined/],
    [null, /got null/],
    [{}, /expected dir to be a path, got undefined/],
    [{ segmentSizeMax: 1 }, /among dir, sync, .*, got segmentSizeMax/],
    [{ sync: { windowMs: 5, every: 5 } }, /expected sync to be .*, got \{"windowMs":5,"every":5\}/],
    [{ sync: { windowMs: 5, jitterMs: 1 } }, /expected sync/],
    [{ sync: {} }, /expected sync/],
    [{ sync: null }, /expected sync/],
    [{ preallocate: 'no' }, /expected preallocate to be true or false, got no/],
    [{ preallocate: 0 }, /got 0/],
    [{ mustExist: 'yes' }, /expected mustExist/],
    [{ lock: null }, /expected lock/],
    [{ onEvent: 5 }, /expected onEvent to be a function, got 5/],
    [{ databaseTimeMs: 1 }, /expected databaseTimeMs/],
    [{ databaseUuid: 'a'.repeat(16) }, /expected databaseUuid/],
    [{ compression: 'zstd' }, /expected compression to be 'none' or/],
    [{ onCorruption: 'ignore' }, /expected onCorruption/],
    [{ vfs: {} }, /expected vfs to be a Vfs/],
    [{ vfs: null }, /expected vfs/],
    [{ recover: () => undefined }, /expected recover to be \{ from/],
    [{ recover: { onRecord: () => undefined } }, /expected recover\.from/],
    [{ encryption: '' }, /encryption: /],
    [{ encryption: null }, /encryption: /],
    [{ encryption: { key: 'short' } }, /encryption: /],
  ])('is refused: Wal.open(%j)', async (given, text) => {
    const options = given && Object.keys(given).length > 0 ? { dir: '/log', ...given } : given;
    const opening = Wal.open(options as WalOptions);
    await expect(opening).rejects.toEqual(refusal(text));
  });

  it('is refused by what looks at a log that nobody has open', async () => {
    const vfs = new SimVfs();
    const salvage = Wal.salvage as (dir: unknown, options?: unknown) => Promise<unknown>;
    await expect(salvage('/log')).rejects.toEqual(
      refusal(/quarantine: '\/a\/path'.*got undefined/),
    );
    await expect(salvage('/log', { quarantine: '' })).rejects.toEqual(refusal(/quarantine/));
    await expect(salvage('/log', { quarantine: '/q', dry: true })).rejects.toEqual(
      refusal(/among quarantine, .*, got dry/),
    );
    await expect(salvage('/log', { quarantine: '/q', dryRun: 'yes' })).rejects.toEqual(
      refusal(/dryRun/),
    );
    await expect(salvage(undefined, { quarantine: '/q' })).rejects.toEqual(refusal(/expected dir/));
    for (const look of [Wal.inspect, Wal.verify] as ((...of: unknown[]) => Promise<unknown>)[]) {
      await expect(look(undefined, { vfs })).rejects.toEqual(refusal(/expected dir/));
      await expect(look('/log', { vfs: 5 })).rejects.toEqual(refusal(/expected vfs/));
      await expect(look('/log', { deep: true })).rejects.toEqual(refusal(/got deep/));
      await expect(look('/log', null)).rejects.toEqual(refusal(/got null/));
      await expect(look('/log', { vfs, encryption: '' })).rejects.toEqual(refusal(/encryption/));
    }
  });

  it('is refused by readers, tails and leases', async () => {
    await withLog({}, async (wal) => {
      await wal.append(bytes('a'));
      const none = (value: unknown) => value as never;
      await expect(wal.read(none({ start: 1 })).next()).rejects.toEqual(refusal(/got start/));
      await expect(wal.read(none(5)).next()).rejects.toEqual(refusal(/got 5/));
      expect(() => wal.tail(none({ since: 1 }))).toThrow(refusal(/got since/));
      expect(() => wal.tail(none({ signal: {} }))).toThrow(refusal(/an AbortSignal/));
      expect(() => wal.retain(1, none({ bytes: 5 }))).toThrow(refusal(/got bytes/));
      expect(() => wal.retain(1, none({ onLost: 5 }))).toThrow(refusal(/onLost/));
      expect(wal.stats.leases).toBe(0);
    });
  });

  it('is refused by Record: a key, a value, a compression, a record', () => {
    const none = (value: unknown) => value as never;
    for (const value of [undefined, null, 5, {}, [1, 2], new ArrayBuffer(3)]) {
      expect(() => Record.put('key', none(value))).toThrow(refusal(/expected value/));
      expect(() => Record.put(none(value), 'value')).toThrow(refusal(/expected key/));
      expect(() => Record.delete(none(value))).toThrow(refusal(/expected key/));
      expect(() => Record.decode(none(value))).toThrow(refusal(/expected a payload/));
      expect(() => Record.encode(none(value))).toThrow(refusal(/expected a record/));
    }
    expect(() => Record.put('key', 'value', none({ compress: 'lzma' }))).toThrow(
      refusal(/expected compress to be 'none' or/),
    );
    expect(() => Record.put('key', 'value', none({ ttl: 5 }))).toThrow(refusal(/got ttl/));
    const put = Record.put('key', 'value');
    expect(() => Record.encode({ ...put, compress: none('gzip') })).toThrow(refusal(/compress/));
    expect(() => Record.encode({ ...put, value: none('text') })).toThrow(refusal(/expected value/));
    expect(() => Record.encode({ ...put, expireAtMs: -1 })).toThrow(refusal(/expireAtMs/));
  });
});

describe('an LSN that is none', () => {
  it('is refused by truncateBefore, read and a lease, which go on working', async () => {
    await withLog({ segmentBytesMax: 4096, preallocateBytes: 512 }, async (wal) => {
      for (let i = 0; i < 50; i++) await wal.append(Buffer.alloc(500));
      const lease = wal.retain(10);
      for (const value of [Number.NaN, undefined, 'a', {}, -1, 1.5]) {
        const lsn = value as unknown as number;
        await expect(wal.truncateBefore(lsn)).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
        expect(() => lease.advance(lsn)).toThrow(
          expect.objectContaining({ code: 'WAL_BAD_OPTION' }),
        );
      }
      expect(() => lease.advance(52)).toThrow(expect.objectContaining({ code: 'WAL_BAD_OPTION' }));
      lease.advance(51);
      for (const value of [Number.NaN, 'a', 1.5, null]) {
        const lsn = value as unknown as Lsn;
        const refusal = { code: 'WAL_BAD_OPTION' };
        await expect(wal.read({ to: lsn ?? Number.NaN }).next()).rejects.toMatchObject(refusal);
        await expect(wal.replay(lsn, () => undefined)).rejects.toMatchObject(refusal);
        await expect(wal.whenDurable(lsn)).rejects.toMatchObject(refusal);
        await expect(wal.truncateAfter(lsn)).rejects.toMatchObject(refusal);
      }
      await expect(wal.replay(1, 5 as never)).rejects.toMatchObject({ code: 'WAL_BAD_OPTION' });
      await expect(wal.read({ from: Number.NaN }).next()).rejects.toMatchObject({
        code: 'WAL_BAD_OPTION',
      });
      await wal.truncateBefore(40);
      expect(wal.firstLsn).toBeGreaterThan(30);
    });
  });
});

/* A part that reached beyond its buffer was stored with bytes of other records behind it. */
it('a part of a record that is none is refused, and takes no LSN', async () => {
  await withLog({}, async (wal) => {
    await wal.append(bytes('secret of somebody else'));
    const refusal = expect.objectContaining({
      code: expect.stringMatching(/WAL_(BAD_OPTION|RECORD_TOO_LARGE)/),
    });
    for (const [from, to] of [
      [0, 20],
      [-1, 3],
      [2, 1],
      [0.5, 2],
      [0, 2.5],
      [Number.NaN, 2],
      [0, Number.NaN],
    ]) {
      for (const way of ['submit', 'submitWritten'] as const) {
        expect(() => wal[way](bytes('short'), from, to), `${from} to ${to}`).toThrow(refusal);
      }
    }
    expect(wal.lastLsn).toBe(1);
    wal.submit(bytes('short'), 1, 4);
    wal.submit(bytes('short'), 5);
    wal.submitWritten(bytes('short'), 1, 3);
    await wal.sync();
    const texts: string[] = [];
    for await (const { payload } of wal.read({ from: 2 })) texts.push(`${Buffer.from(payload)}`);
    expect(texts).toEqual(['hor', '', 'ho']);
  });
});

/* A time that threw in the middle of a write left the log waiting for ever. */
it('a database time that throws is told as an uncaught error, and the log goes on', async () => {
  let failing = false;
  const databaseTimeMs = (): number => {
    if (failing) throw new Error('no time');
    return 5;
  };
  const sim = new SimVfs({ seed: 5 });
  const told: unknown[] = [];
  const { turnEnd } = sim.timers;
  sim.timers.turnEnd = (callback) =>
    turnEnd.call(sim.timers, () => {
      try {
        callback();
      } catch (error) {
        told.push(error);
      }
    });
  await sim.run(async () => {
    const { wal } = await Wal.open({ dir: '/log', vfs: sim, databaseTimeMs });
    failing = true;
    await wal.append(bytes('a'));
    wal.appendSync(bytes('b'));
    expect(wal.health.healthy).toBe(true);
    await wal.truncateAfter(1);
    failing = false;
    await wal.append(bytes('c'));
    await wal.close();
  });
  sim.assertClean();
  expect(told.length).toBeGreaterThan(1);
  expect(told[0]).toEqual(new Error('no time'));
});

it('R10: a close that fails lets go of everything all the same', async () => {
  for (const op of ['unlink', 'sync', 'write', 'truncate'] as const) {
    for (let nth = 1; nth < 6; nth++) {
      const sim = new SimVfs({ record: false });
      await sim.run(async () => {
        const options = { dir: '/log', vfs: sim, segmentBytesMax: 4096, preallocateBytes: 512 };
        const { wal } = await Wal.open(options);
        await wal.append(Buffer.alloc(3000));
        await sim.settle(300);
        sim.faults.failAt({ op, nth, error: 'EIO' });
        await wal.close().catch((error: unknown) => expect(error).toBeInstanceOf(Error));
        sim.faults.clear();
        expect(sim.openFiles).toEqual([]);
        const { wal: again } = await Wal.open(options);
        expect(again.lastLsn).toBe(1);
        await again.close();
      });
      sim.assertClean();
    }
  }
});

describe('truncateAfter', () => {
  it('forgets that records it has cut were to go: those in their place stay', async () => {
    await withLog({ segmentBytesMax: 4096, preallocateBytes: 512 }, async (wal) => {
      for (let i = 0; i < 60; i++) await wal.append(Buffer.alloc(500));
      const lease = wal.retain(1);
      await wal.truncateBefore(61);
      await wal.truncateAfter(10);
      for (let i = 0; i < 60; i++) await wal.append(Buffer.alloc(500));
      lease.release();
      await wal.sync();
      await wal.truncateBefore(0);
      expect(wal.firstLsn).toBeLessThanOrEqual(11);
    });
  });

  it('refuses what is appended behind it in the same turn', async () => {
    await withLog({}, async (wal) => {
      for (let i = 0; i < 10; i++) await wal.append(bytes(`${i}`));
      const cut = wal.truncateAfter(5);
      await expect(wal.append(bytes('late'))).rejects.toMatchObject({ code: 'WAL_BUSY' });
      await cut;
      expect((await wal.append(bytes('next'))).lsn).toBe(6);
    });
  });

  it('waits for a truncateBefore of the same turn, which it does not disturb', async () => {
    await withLog({ segmentBytesMax: 4096, preallocateBytes: 512 }, async (wal) => {
      for (let i = 0; i < 60; i++) await wal.append(Buffer.alloc(500));
      const [, cut] = await Promise.all([wal.truncateBefore(20), wal.truncateAfter(40)]);
      expect(cut.lastLsn).toBe(40);
      expect(wal.firstLsn).toBeGreaterThan(10);
    });
  });
});

/*
 * Under `always`, a sync in the pool that had to wait for an earlier one was started even though
 * `appendSync` had overtaken it, rotated, and closed the file it was for: EBADF poisoned a healthy log.
 */
describe('appendSync between appends', () => {
  it('never syncs a file that a rotation has closed', async () => {
    let rotations = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const sim = new SimVfs({ seed, record: false });
      await sim.run(async () => {
        const { wal } = await Wal.open({
          dir: '/log',
          vfs: sim,
          segmentBytesMax: 4096,
          preallocateBytes: 512,
        });
        const pending: Promise<unknown>[] = [];
        for (let i = 0; i < 120; i++) {
          if (i % 7 === 3) wal.appendSync(Buffer.alloc(150, i));
          else pending.push(wal.append(Buffer.alloc(150, i)));
          if (i % 5 === 0) await new Promise<void>((resolve) => sim.timers.turnEnd(resolve));
        }
        await Promise.all(pending);
        expect(wal.health).toMatchObject({ healthy: true });
        rotations += wal.stats.rotations;
        await wal.close();
      });
      sim.assertClean();
    }
    expect(rotations).toBeGreaterThan(200);
  });
});
