/**
 * A directory that had just been closed was now and then called held by an unknown process: its lock
 * lived on for some milliseconds in a child that was being started at that moment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LockState } from '@nendb/vfs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LOCK_LOOKS_MAX } from '../src/limits.js';
import { settledLock } from '../src/lock.js';
import { makeDatabase } from './support/database.js';
import { nen } from './support/terminal.js';

const OWNER = {
  pid: 4711,
  startTicks: '1',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  host: 'elsewhere',
};

/** Answers with `states` in turn, then with the last one; counts the looks. */
function lockOf(...states: LockState[]) {
  let looks = 0;
  return {
    inspectLock: async () => states[Math.min(looks++, states.length - 1)],
    looks: () => looks,
  };
}

describe('a lock that is held and names nobody', () => {
  test('is looked at again: the process that held it may just have gone', async () => {
    const vfs = lockOf({ held: true }, { held: true }, { held: false });
    expect(await settledLock('/d/LOCK', vfs)).toEqual({ held: false });
    expect(vfs.looks()).toBe(3);
  });

  test('is looked at again: the process that holds it may just write its name', async () => {
    const vfs = lockOf({ held: true }, { held: true, owner: OWNER });
    expect(await settledLock('/d/LOCK', vfs)).toEqual({ held: true, owner: OWNER });
  });

  test('is held after so many looks', async () => {
    const vfs = lockOf({ held: true });
    expect(await settledLock('/d/LOCK', vfs)).toEqual({ held: true });
    expect(vfs.looks()).toBe(LOCK_LOOKS_MAX);
  });

  test.each([{ held: false }, { held: false, owner: OWNER }, { held: true, owner: OWNER }])(
    'one look is enough for %j',
    async (state) => {
      const vfs = lockOf(state);
      expect(await settledLock('/d/LOCK', vfs)).toEqual(state);
      expect(vfs.looks()).toBe(1);
    },
  );

  test('nen works on a directory whose lock is let go a moment later', async () => {
    const dir = await makeDatabase((client) => client.call('SET', 'k', 'v'));
    const holder = spawn('flock', ['-x', join(dir, 'LOCK'), 'sh', '-c', 'echo held; sleep 0.05'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void holder.kill());
    await once(holder.stdout, 'data');
    expect(await nen(['exec', '--dir', dir, 'GET', 'k'])).toMatchObject({ code: 0, stdout: 'v\n' });
  });
});
