import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeVfs, nodeVfs, type VfsLockedError } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { currentOwner, mayBeAlive } from '../src/node/process-identity.js';

const BUILT = new URL('../dist/index.js', import.meta.url);

let dir: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-lock-'));
  path = join(dir, 'LOCK');
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  rmSync(dir, { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Another process that runs `script` (which may use `vfs` and `path`) and says when it is ready. */
async function other(script: string): Promise<{ child: ChildProcess; said: string }> {
  const source = `
    const { nodeVfs: vfs, NodeVfs } = await import(${JSON.stringify(BUILT.href)});
    const path = ${JSON.stringify(path)};
    const say = (text) => process.stdout.write(text + '\\n');
    setInterval(() => {}, 1000);
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

const refusal = async (vfs = nodeVfs): Promise<VfsLockedError> => {
  try {
    await (await vfs.lock(path)).release();
  } catch (error) {
    return error as VfsLockedError;
  }
  throw new Error('expected the lock to be refused');
};

describe('R11: one writer, two processes', () => {
  test('rule 17: a live second opener is refused and told who holds the lock', async () => {
    const { child } = await other(`
      const lock = await vfs.lock(path);
      lock.publish('redis://127.0.0.1:7777');
      say('held');`);
    const error = await refusal();
    expect(error).toMatchObject({
      code: 'VFS_LOCKED',
      path,
      owner: { pid: child.pid, address: 'redis://127.0.0.1:7777', bootId: currentOwner().bootId },
    });
    expect(error.message).toContain(`process ${child.pid}`);
    const seen = await nodeVfs.inspectLock(path);
    expect(seen).toMatchObject({ held: true, owner: { pid: child.pid } });
    expect((await refusal()).code).toBe('VFS_LOCKED');
  });

  test('rule 17: after kill -9 of the holder the lock is free at once', async () => {
    const { child } = await other(`await vfs.lock(path); say('held');`);
    expect((await refusal()).owner?.pid).toBe(child.pid);
    await kill(child);
    expect(await nodeVfs.inspectLock(path)).toMatchObject({
      held: false,
      owner: { pid: child.pid },
    });
    const lock = await nodeVfs.lock(path);
    expect((await nodeVfs.inspectLock(path)).owner?.pid).toBe(process.pid);
    await lock.release();
  });

  test('children of the holder do not keep the lock alive', async () => {
    const { child, said } = await other(`
      const { spawn } = await import('node:child_process');
      await vfs.lock(path);
      const orphan = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
      say(String(orphan.pid));`);
    try {
      await kill(child);
      await (await nodeVfs.lock(path)).release();
    } finally {
      process.kill(Number(said), 'SIGKILL');
    }
  });

  test('looking at the lock, again and again, disturbs neither holder nor starter', async () => {
    const { child } = await other(`
      say('ready');
      for (;;) { await vfs.inspectLock(path); await new Promise((r) => setTimeout(r, 1)); }`);
    for (let i = 0; i < 10; i++) {
      const lock = await nodeVfs.lock(path);
      expect((await refusal()).owner?.pid).toBe(process.pid);
      await lock.release();
    }
    expect(child.exitCode).toBeNull();
  });

  test('a holder that does not say who it is holds the lock all the same', async () => {
    const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      await once(holder.stdout as NodeJS.ReadableStream, 'data');
      const error = await refusal();
      expect(error.owner).toBeUndefined();
      expect(error.message).toContain('has not said who it is');
      expect(await nodeVfs.inspectLock(path)).toEqual({ held: true });
    } finally {
      process.kill(-(holder.pid as number), 'SIGKILL');
    }
  });
});

describe('the lock file', () => {
  test('stale content of any kind is overwritten, in place', async () => {
    const stale = JSON.stringify({ ...currentOwner(), pid: 2 ** 22 + 1, host: 'x'.repeat(500) });
    for (const content of [`${stale}\n`, 'not json', '{"pid":"many"}\n', '[]\n', 'null', '']) {
      writeFileSync(path, content);
      const lock = await nodeVfs.lock(path);
      const [line, rest] = readFileSync(path, 'utf8').split('\n');
      expect(JSON.parse(line)).toMatchObject(currentOwner());
      expect(rest).toBe('');
      await lock.release();
      expect(readFileSync(path, 'utf8')).toBe('');
    }
  });

  test('an owner in a namespace that nobody sees is believed to the kernel only', async () => {
    const foreign = { ...currentOwner(), pid: 7, pidNamespace: 'pid:[1]' };
    for (const kernelLock of [true, false]) {
      writeFileSync(path, `${JSON.stringify({ ...foreign, kernelLock })}\n`);
      expect((await nodeVfs.inspectLock(path)).held).toBe(!kernelLock);
    }
    expect((await refusal()).owner).toEqual(foreign);
    expect((await refusal(new NodeVfs({ flockProgram: 'no-such-flock' }))).owner).toEqual(foreign);
  });

  test('a lock held by nobody who is alive and named does not blame the dead', async () => {
    const dead = { ...currentOwner(), pid: 2 ** 22 + 1 };
    writeFileSync(path, `${JSON.stringify(dead)}\n`);
    const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    try {
      await once(holder.stdout as NodeJS.ReadableStream, 'data');
      expect((await refusal()).owner).toBeUndefined();
    } finally {
      process.kill(-(holder.pid as number), 'SIGKILL');
    }
  });

  test('one that was unlinked does not give two holders of one name', async () => {
    const first = await nodeVfs.lock(path);
    unlinkSync(path);
    const second = await nodeVfs.lock(path);
    expect((await refusal()).owner?.pid).toBe(process.pid);
    await second.release();
    await first.release();
  });
});

describe('where there is no flock program', () => {
  const vfs = new NodeVfs({ flockProgram: 'no-such-flock' });

  test('a live owner is respected, a dead one is not', async () => {
    const { child } = await other(
      `await new NodeVfs({ flockProgram: 'no-such-flock' }).lock(path); say('held');`,
    );
    expect((await refusal(vfs)).owner?.pid).toBe(child.pid);
    expect((await vfs.inspectLock(path)).held).toBe(true);
    await kill(child);
    expect((await vfs.inspectLock(path)).held).toBe(false);
    await (await vfs.lock(path)).release();
  });

  test('two starters that race for a stale lock get one owner', async () => {
    writeFileSync(path, `${JSON.stringify({ ...currentOwner(), pid: 2 ** 22 + 1 })}\n`);
    const outcomes = await Promise.allSettled([vfs.lock(path), vfs.lock(path), vfs.lock(path)]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
  });

  test('an owner is judged by boot, namespace, pid and start time', () => {
    const self = currentOwner();
    expect(mayBeAlive(self, self)).toBe(true);
    expect(mayBeAlive({ ...self, startTicks: '1' }, self)).toBe(false);
    expect(mayBeAlive({ ...self, pid: 2 ** 22 + 1 }, self)).toBe(false);
    expect(mayBeAlive({ ...self, pid: 2 ** 22 + 1, pidNamespace: 'pid:[1]' }, self)).toBe(true);
    expect(mayBeAlive({ ...self, bootId: 'another' }, self)).toBe(false);
    expect(mayBeAlive({ ...self, bootId: 'another', host: 'elsewhere' }, self)).toBe(true);
  });

  test('its owner is respected by those who have the program, and the other way round', async () => {
    const judged = await vfs.lock(path);
    expect((await refusal(nodeVfs)).owner?.pid).toBe(process.pid);
    expect((await nodeVfs.inspectLock(path)).held).toBe(true);
    await judged.release();
    const kernel = await nodeVfs.lock(path);
    expect((await refusal(vfs)).owner?.pid).toBe(process.pid);
    expect((await vfs.inspectLock(path)).held).toBe(true);
    await kernel.release();
  });
});

describe('in the simulator', () => {
  test('R11: a lock goes with the machine; its content stays', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      const lock = await sim.lock('/LOCK');
      lock.publish('redis://127.0.0.1:1');
    });
    for (const kind of ['kill', 'power'] as const) {
      const after = SimVfs.fromImage(sim.crashImage({ kind }));
      const state = await after.inspectLock('/LOCK');
      expect(state).toMatchObject({ held: false, owner: { address: 'redis://127.0.0.1:1' } });
      await after.run(after.lock('/LOCK'));
      expect((await after.inspectLock('/LOCK')).held).toBe(true);
    }
  });
});
