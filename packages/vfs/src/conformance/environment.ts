/** The part of the suite about locks, time, chance and tasks. */
import assert from 'node:assert/strict';
import { VfsLockedError } from '../errors.js';
import type { Vfs } from '../vfs.js';
import { expectCode } from './expect.js';
import type { ConformanceCase } from './subject.js';

const TASK = new URL('./task.js', import.meta.url);

export const environmentCases: readonly ConformanceCase[] = [
  {
    name: 'R11: a lock has one holder, who is named to the second',
    async body({ vfs, dir }) {
      const path = `${dir}/LOCK`;
      assert.deepEqual(await vfs.inspectLock(path), { held: false });
      const lock = await vfs.lock(path);
      assert.equal(lock.path, path);
      lock.publish('redis://127.0.0.1:7777');
      const refusal = await refused(vfs, path);
      assert.equal(refusal.owner?.pid, lock.owner.pid);
      assert.match(refusal.message, /127\.0\.0\.1:7777/);
      assert.deepEqual(await vfs.inspectLock(path), { held: true, owner: lock.owner });
      assert.equal(lock.owner.address, 'redis://127.0.0.1:7777');
      await refused(vfs, path);
      await lock.release();
    },
  },
  {
    name: 'R11: a released lock is free; looking at it does not take it',
    async body({ vfs, dir }) {
      const path = `${dir}/LOCK`;
      const first = await vfs.lock(path);
      await first.release();
      await first.release();
      assert.throws(() => first.publish('late'));
      assert.equal((await vfs.inspectLock(path)).held, false);
      const second = await vfs.lock(path);
      await refused(vfs, path);
      await second.release();
      await expectCode(vfs.lock(`${dir}/missing/LOCK`), 'ENOENT');
    },
  },
  {
    name: 'locks of different files do not meet',
    async body({ vfs, dir }) {
      const one = await vfs.lock(`${dir}/1`);
      const two = await vfs.lock(`${dir}/2`);
      await one.release();
      await refused(vfs, `${dir}/2`);
      await two.release();
    },
  },
  {
    name: 'the monotonic clock does not go back',
    async body({ vfs, dir }) {
      let last = vfs.clock.monotonicMs();
      for (let i = 0; i < 20; i++) {
        vfs.statSync(dir);
        const now = vfs.clock.monotonicMs();
        assert(now >= last, `expected at least ${last}, got ${now}`);
        last = now;
      }
      assert(vfs.clock.wallMs() > Date.UTC(2020, 0, 1));
    },
  },
  {
    name: 'timers run once, in the order of their times; cancelled ones do not',
    async body({ vfs }) {
      const ran: string[] = [];
      const startMs = vfs.clock.monotonicMs();
      const cancelled = vfs.timers.after(5, () => ran.push('cancelled'));
      vfs.timers.after(30, () => ran.push('late'), { background: true });
      vfs.timers.after(1, () => ran.push('early'));
      cancelled.cancel();
      await new Promise<void>((resolve) => {
        vfs.timers.after(60, resolve);
      });
      assert.deepEqual(ran, ['early', 'late']);
      // Platforms round delays to a millisecond.
      assert(vfs.clock.monotonicMs() - startMs >= 58);
    },
  },
  {
    name: 'the end of a turn comes after the promises of the turn',
    async body({ vfs }) {
      const ran: string[] = [];
      const ended = new Promise<void>((resolve) => {
        vfs.timers.turnEnd(() => {
          ran.push('end');
          resolve();
        });
      });
      await Promise.resolve().then(() => ran.push('promise'));
      await ended;
      assert.deepEqual(ran, ['promise', 'end']);
    },
  },
  {
    name: 'random bytes fill the target; uuids are version 4 and differ',
    async body({ vfs }) {
      const bytes = new Uint8Array(67);
      vfs.random.fill(bytes.subarray(1, 66));
      assert.equal(bytes[0] + bytes[66], 0);
      assert(new Set(bytes).size > 20);
      const uuids = Array.from({ length: 50 }, () => vfs.random.uuid());
      for (const uuid of uuids) {
        assert.equal(uuid.length, 16);
        assert.equal(uuid[6] >> 4, 4);
        assert.equal(uuid[8] >> 6, 2);
      }
      assert.equal(new Set(uuids.map((uuid) => uuid.join())).size, 50);
    },
  },
  {
    name: 'a task keeps its state and answers calls in order',
    async body({ vfs, dir }) {
      const task = await vfs.executor.start(TASK, { start: 100 });
      const calls = [1, 2, 3].map((by) => task.call('add', { by }));
      assert.deepEqual(await Promise.all(calls), [101, 102, 103]);
      assert.deepEqual(await task.call('seen', {}), [1, 2, 3]);
      await task.call('make', { path: `${dir}/made` });
      assert.equal(vfs.statSync(`${dir}/made`)?.size, 14);
      const { buffer } = new Uint8Array([1, 2, 3]);
      assert.equal(await task.call('sum', { bytes: buffer }, [buffer]), 6);
      assert.equal(buffer.byteLength, 0);
      await task.close();
      await assert.rejects(task.call('seen', {}), /closed/);
    },
  },
  {
    name: 'errors of a task arrive whole; it goes on after them',
    async body({ vfs, dir }) {
      const task = await vfs.executor.start(TASK, { start: 0 });
      await expectCode(task.call('fail', { path: `${dir}/x` }), 'EIO');
      await assert.rejects(task.call('missing', {}), /expected a method/);
      assert.equal(await task.call('add', { by: 1 }), 1);
      await task.close();
      await assert.rejects(vfs.executor.start(new URL('./no-such-task.js', TASK), {}));
    },
  },
];

async function refused(vfs: Vfs, path: string): Promise<VfsLockedError> {
  let failure: unknown;
  try {
    await vfs.lock(path);
  } catch (error) {
    failure = error;
  }
  assert(failure instanceof VfsLockedError, `expected a VfsLockedError, got ${String(failure)}`);
  assert.equal(failure.code, 'VFS_LOCKED');
  assert.equal(failure.path, path);
  return failure;
}
