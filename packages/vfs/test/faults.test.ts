import type { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { bytes, cached, failing, machine } from './disk-fixture.js';

describe('errors', () => {
  test('the nth operation of a kind fails once; sticky ones fail for ever', () => {
    const { sim, file } = machine();
    sim.faults.failAt({ op: 'write', nth: 2, error: 'EIO' });
    const write = () => failing(() => file.writeAtSync(bytes('x'), 0));
    expect([write(), write(), write()]).toEqual([undefined, 'EIO', undefined]);
    sim.faults.failAt({ op: 'write', nth: 2, error: 'ENOSPC', sticky: true });
    expect([write(), write(), write()]).toEqual([undefined, 'ENOSPC', 'ENOSPC']);
    sim.faults.clear();
    expect(write()).toBeUndefined();
    expect(sim.faults.coverage().get('error:write')).toBe(3);
  });

  test.each([
    ['open', 'EMFILE', (sim: SimVfs) => sim.openSync('/a', 'read')],
    ['create', 'EROFS', (sim: SimVfs) => sim.openSync('/b', 'create')],
    ['rename', 'EACCES', (sim: SimVfs) => sim.renameSync('/a', '/b')],
    ['unlink', 'EROFS', (sim: SimVfs) => sim.unlinkSync('/a')],
    ['mkdir', 'EACCES', (sim: SimVfs) => sim.mkdirSync('/d')],
    ['readdir', 'EIO', (sim: SimVfs) => sim.readdirSync('/')],
    ['stat', 'EACCES', (sim: SimVfs) => sim.statSync('/a')],
    ['freeBytes', 'EIO', (sim: SimVfs) => sim.freeBytesSync('/')],
    ['syncDir', 'EIO', (sim: SimVfs) => sim.syncDirSync('/')],
  ] as const)('%s fails with %s and changes nothing', (op, error, call) => {
    const { sim } = machine();
    const before = [...sim.crashImage({ kind: 'kill', choice: 'all' }).files()];
    sim.faults.failAt({ op, nth: 1, error });
    expect(failing(() => call(sim))).toBe(error);
    expect([...sim.crashImage({ kind: 'kill', choice: 'all' }).files()]).toEqual(before);
    sim.faults.assertAllFired();
    expect(failing(() => call(sim))).toBeUndefined();
  });

  test('an asynchronous read, size, truncate and lock fail as their synchronous twins', async () => {
    const { sim, file } = machine();
    for (const op of ['read', 'size', 'truncate', 'lock'] as const) {
      sim.faults.failAt({ op, nth: 1, error: 'EIO' });
    }
    await sim.run(async () => {
      await expect(file.readAt(Buffer.alloc(1), 0)).rejects.toMatchObject({ code: 'EIO' });
      await expect(file.size()).rejects.toMatchObject({ code: 'EIO' });
      await expect(file.truncate(0)).rejects.toMatchObject({ code: 'EIO', path: '/a' });
      await expect(sim.lock('/LOCK')).rejects.toMatchObject({ code: 'EIO' });
    });
    expect(cached(file)).toBe('old');
  });

  test('rule 6: a write can fail and land all the same', () => {
    const { sim, file } = machine();
    sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO', takesEffect: true });
    expect(failing(() => file.writeAtSync(bytes('new'), 0))).toBe('EIO');
    expect(cached(file)).toBe('new');
    expect(sim.faults.coverage().get('effect:write')).toBe(1);
  });

  test('only paths that match count', () => {
    const { sim, file } = machine();
    sim.faults.failAt({ op: 'write', nth: 1, error: 'EIO', path: '/b' });
    const other = sim.openSync('/b', 'create');
    expect(failing(() => file.writeAtSync(bytes('x'), 0))).toBeUndefined();
    expect(failing(() => other.writeAtSync(bytes('x'), 0))).toBe('EIO');
  });

  test('a fault that never happened fails the run', () => {
    const { sim } = machine();
    sim.faults.failAt({ op: 'sync', nth: 7, error: 'EIO' });
    sim.faults.stallAt({ op: 'read', nth: 1, stallMs: 5 });
    expect(() => sim.faults.assertAllFired()).toThrow('EIO at sync 7; read 1 stalled 5 ms');
    expect(() => sim.faults.failAt({ op: 'sync', nth: 0, error: 'EIO' })).toThrow(RangeError);
  });
});
