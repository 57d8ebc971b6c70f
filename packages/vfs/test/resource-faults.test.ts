import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { bytes, cached, durable, failing, machine } from './disk-fixture.js';

describe('resources', () => {
  test('a full disk cuts a write short, then refuses; freed space is space again', () => {
    const { sim, file } = machine();
    sim.faults.diskBytesMax = 2048;
    expect(sim.freeBytesSync('/')).toBe(1536);
    expect(file.writeAtSync(Buffer.alloc(4000), 0)).toBe(2048);
    expect(sim.freeBytesSync('/')).toBe(0);
    expect(failing(() => file.writeAtSync(bytes('x'), 2048))).toBe('ENOSPC');
    expect(file.writeAtSync(bytes('in place'), 0)).toBe(8);
    file.truncateSync(512);
    expect(file.writeAtSync(bytes('x'), 600)).toBe(1);
    const [shorts, full] = ['short-write', 'no-space'] as const;
    expect(sim.faults.coverage().get(shorts)).toBe(1);
    expect(sim.faults.coverage().get(full)).toBe(1);
  });

  test('an unlinked file takes up space until it is closed', () => {
    const { sim, file } = machine();
    sim.faults.diskBytesMax = 512;
    sim.unlinkSync('/a');
    const other = sim.openSync('/b', 'create');
    expect(failing(() => other.writeAtSync(bytes('x'), 0))).toBe('ENOSPC');
    file.closeSync();
    expect(other.writeAtSync(bytes('x'), 0)).toBe(1);
  });

  test('one write is cut where the plan says', () => {
    const { sim, file } = machine();
    sim.faults.shortWriteAt({ nth: 2, bytes: 3 });
    const lengths = [1, 2, 3].map(() => file.writeAtSync(bytes('abcdef'), 0));
    expect(lengths).toEqual([6, 3, 6]);
  });

  test('descriptors run out, and closing one gives it back', async () => {
    const { sim, file } = machine();
    sim.faults.resources.descriptorsMax = 2;
    const second = sim.openSync('/a', 'read');
    expect(failing(() => sim.openSync('/a', 'read'))).toBe('EMFILE');
    expect(failing(() => sim.openSync('/b', 'create'))).toBe('EMFILE');
    expect(failing(() => sim.syncDirSync('/'))).toBe('EMFILE');
    await expect(sim.run(sim.lock('/LOCK'))).rejects.toMatchObject({ code: 'EMFILE' });
    expect(sim.readdirSync('/')).toEqual(['a']);
    expect(file.writeAtSync(bytes('x'), 0)).toBe(1);
    second.closeSync();
    sim.openSync('/b', 'create').closeSync();
    expect(sim.coverage.times('no-descriptors')).toBe(4);
  });

  test('a read-only file system takes no change, and can be read', async () => {
    const { sim, file } = machine();
    file.writeAtSync(bytes('dirty'), 0);
    sim.faults.resources.readOnly = true;
    const refused = [
      () => file.writeAtSync(bytes('x'), 0),
      () => file.truncateSync(0),
      () => file.syncSync(),
      () => sim.openSync('/a', 'write'),
      () => sim.openSync('/b', 'create'),
      () => sim.renameSync('/a', '/b'),
      () => sim.unlinkSync('/a'),
      () => sim.mkdirSync('/d'),
    ];
    expect(refused.map(failing)).toEqual(refused.map(() => 'EROFS'));
    await expect(sim.run(sim.lock('/LOCK'))).rejects.toMatchObject({ code: 'EROFS' });
    expect(failing(() => sim.openSync('/missing', 'write'))).toBe('ENOENT');
    expect(failing(() => sim.openSync('/a', 'create'))).toBe('EEXIST');
    sim.mkdirSync('/');
    expect(cached(sim.openSync('/a', 'read'))).toBe('dirty');
    expect(durable(sim)).toBe('old');
    expect(sim.coverage.times('read-only')).toBe(refused.length + 1);
    sim.faults.clear();
    file.syncSync();
    expect(durable(sim)).toBe('dirty');
  });

  test('what is denied cannot be opened, listed or renamed; open files go on', () => {
    const { sim, file } = machine();
    sim.mkdirSync('/d');
    sim.faults.resources.deny({ path: '/a', to: 'write' });
    sim.faults.resources.deny({ path: '/d' });
    expect(failing(() => sim.openSync('/a', 'write'))).toBe('EACCES');
    expect(failing(() => sim.unlinkSync('/a'))).toBe('EACCES');
    expect(failing(() => sim.renameSync('/a', '/b'))).toBe('EACCES');
    expect(failing(() => sim.readdirSync('/d'))).toBe('EACCES');
    expect(failing(() => sim.syncDirSync('/d'))).toBe('EACCES');
    expect(failing(() => sim.openSync('/d/new', 'create'))).toBe('EACCES');
    expect(failing(() => sim.mkdirSync('/d/e'))).toBe('EACCES');
    sim.openSync('/a', 'read').closeSync();
    file.writeAtSync(bytes('new'), 0);
    expect(cached(file)).toBe('new');
    expect(sim.coverage.times('access-denied')).toBe(7);
  });

  test('a short read is read on, and others can come between its parts', async () => {
    const content = 'x'.repeat(300);
    const { sim, file } = machine(content);
    sim.faults.limitEachRead(100);
    expect(cached(file)).toBe(content);
    expect(sim.counts.read).toBe(3);
    expect(sim.coverage.times('short-read')).toBe(2);
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const target = Buffer.alloc(300);
      await sim.run(async () => {
        file.writeAtSync(bytes(content), 0);
        const read = file.readAt(target, 0);
        const write = file.writeAt(Buffer.alloc(300, 'y'), 0);
        expect(await read).toBe(300);
        await write;
      });
      seen.add(`${target}`.replace(/x+/, 'x').replace(/y+/, 'y'));
    }
    expect([...seen].sort()).toEqual(['x', 'xy', 'y']);
    sim.faults.clear();
    sim.faults.shortReadAt({ nth: 1, bytes: 7 });
    expect(cached(file)).toBe('y'.repeat(300));
    sim.faults.assertAllFired();
    expect(() => sim.faults.limitEachRead(0)).toThrow(RangeError);
  });

  test('close waits for the whole of a read that comes in parts', async () => {
    const { sim, file } = machine('0123456789');
    sim.faults.limitEachRead(1);
    const target = Buffer.alloc(10);
    await sim.run(async () => {
      const read = file.readAt(target, 0);
      await file.close();
      expect(await read).toBe(10);
    });
    expect(`${target}`).toBe('0123456789');
    sim.assertClean();
  });

  test('names come in another order than they were made in', () => {
    const sim = new SimVfs();
    for (const name of ['a', 'b', 'c', 'd', 'e']) sim.openSync(`/${name}`, 'create').closeSync();
    const orders = new Set(Array.from({ length: 10 }, () => sim.readdirSync('/').join('')));
    expect(orders.size).toBeGreaterThan(5);
    expect(sim.coverage.times('shuffled-readdir')).toBeGreaterThan(5);
  });

  test('a stalled operation is overtaken by others, and takes its time', async () => {
    const { sim, file } = machine();
    sim.faults.stallAt({ op: 'sync', nth: 1, stallMs: 500 });
    const done: string[] = [];
    const startMs = sim.clock.monotonicMs();
    await sim.run(async () => {
      const sync = file.sync().then(() => done.push('sync'));
      const reads = [1, 2, 3].map(() =>
        file.readAt(Buffer.alloc(1), 0).then(() => done.push('read')),
      );
      await Promise.all([sync, ...reads]);
    });
    expect(done).toEqual(['read', 'read', 'read', 'sync']);
    expect(sim.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(500);
    expect(sim.faults.coverage().get('stall')).toBe(1);
  });

  test('the wall clock jumps, the monotonic one does not', () => {
    const { sim } = machine();
    const [wallMs, monotonicMs] = [sim.clock.wallMs(), sim.clock.monotonicMs()];
    sim.jumpClock(-3_600_000);
    expect(sim.clock.wallMs()).toBe(wallMs - 3_600_000);
    expect(sim.clock.monotonicMs()).toBe(monotonicMs);
    expect(sim.faults.coverage().get('clock-jump')).toBe(1);
  });
});
