import { replaceFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { bytes, cached, durable, failing, machine } from './disk-fixture.js';

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

describe('failed syncs (rule 4)', () => {
  test('clean-new: reads see the new bytes, and a retry succeeds without them', () => {
    const { sim, file } = machine();
    file.writeAtSync(bytes('new bytes'), 0);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
    expect(failing(() => file.syncSync())).toBe('EIO');
    file.syncSync();
    expect(cached(file)).toBe('new bytes');
    expect(durable(sim)).toBe('old');
    expect(() => sim.assertDurable('/a')).toThrow('sync the file');
    file.writeAtSync(bytes('newer'), 0);
    file.syncSync();
    expect(durable(sim)).toBe('new');
    expect(sim.faults.coverage().get('sync:clean-new')).toBe(1);
  });

  test('late: the sync says ok, its pages are lost, each open descriptor is told once', () => {
    const { sim, file } = machine();
    const other = sim.openSync('/a', 'read');
    file.writeAtSync(bytes('new bytes'), 0);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO', syncFailure: 'late' });
    file.syncSync();
    expect(cached(file)).toBe('new bytes');
    expect(durable(sim)).toBe('old');
    const early = sim.openSync('/a', 'write');
    expect(failing(() => file.syncSync())).toBe('EIO');
    const late = sim.openSync('/a', 'write');
    expect(failing(() => file.syncSync())).toBeUndefined();
    expect(failing(() => other.syncSync())).toBe('EIO');
    expect(failing(() => other.syncSync())).toBeUndefined();
    // Opened when nobody had been told: the error is news to it too.
    expect(failing(() => early.syncSync())).toBe('EIO');
    expect(failing(() => late.syncSync())).toBeUndefined();
    expect(durable(sim)).toBe('old');
    expect(sim.coverage.times('sync:late')).toBe(1);
    expect(sim.coverage.times('sync:reported-late')).toBe(3);
  });

  test('a failed sync is told to the other descriptors of the file as well', () => {
    const { sim, file } = machine();
    const other = sim.openSync('/a', 'write');
    file.writeAtSync(bytes('new'), 0);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EDQUOT' });
    expect(failing(() => file.syncSync())).toBe('EDQUOT');
    expect(failing(() => file.syncSync())).toBeUndefined();
    expect(failing(() => other.syncSync())).toBe('EDQUOT');
  });

  test('pages lost by writing back are told to whoever syncs next, and newer ones are kept', () => {
    const { sim, file } = machine();
    sim.faults.loseWritebackAt({ nth: 1 });
    file.writeAtSync(bytes('lost'), 0);
    file.writeAtSync(Buffer.alloc(512, 'k'), 512);
    expect(failing(() => file.syncSync())).toBe('EIO');
    expect(cached(file).slice(0, 4)).toBe('lost');
    expect(durable(sim)?.slice(0, 4)).toBe('old\0');
    expect(durable(sim)?.slice(512)).toBe('k'.repeat(512));
    expect(sim.coverage.times('writeback:lost')).toBe(1);
    sim.faults.assertAllFired();
  });

  test('late, of a directory: its names are lost, the next sync of it tells', () => {
    const { sim } = machine();
    sim.renameSync('/a', '/b');
    sim.faults.failAt({ op: 'syncDir', nth: 1, error: 'EIO', syncFailure: 'late' });
    sim.syncDirSync('/');
    expect(durable(sim, '/b')).toBeUndefined();
    expect(failing(() => sim.syncDirSync('/'))).toBe('EIO');
    expect(failing(() => sim.syncDirSync('/'))).toBeUndefined();
    expect(durable(sim, '/b')).toBeUndefined();
  });

  test('clean-old: reads see the old bytes again', () => {
    const { sim, file } = machine();
    file.writeAtSync(bytes('new bytes'), 0);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO', syncFailure: 'clean-old' });
    expect(failing(() => file.syncSync())).toBe('EIO');
    expect(cached(file)).toBe('old');
    expect(durable(sim)).toBe('old');
    file.writeAtSync(bytes('late'), 0);
    file.syncSync();
    expect(durable(sim)).toBe('late');
  });

  test('partial: some sectors reached the disk', () => {
    const { sim, file } = machine();
    file.writeAtSync(Buffer.alloc(2048, 'n'), 0);
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO', syncFailure: 'partial' });
    expect(failing(() => file.syncSync())).toBe('EIO');
    expect(cached(file)).toBe('n'.repeat(2048));
    const survived = durable(sim) ?? '';
    expect(survived.slice(0, 512)).toBe('n'.repeat(512));
    expect(survived.slice(512, 1024)).toBe('\0'.repeat(512));
  });

  test('a failed sync of a directory loses its names, whatever a retry says', () => {
    const { sim } = machine();
    sim.renameSync('/a', '/b');
    sim.faults.failAt({ op: 'syncDir', nth: 1, error: 'EIO' });
    expect(failing(() => sim.syncDirSync('/'))).toBe('EIO');
    sim.syncDirSync('/');
    expect(sim.readdirSync('/')).toEqual(['b']);
    expect(durable(sim, '/a')).toBe('old');
    expect(durable(sim, '/b')).toBeUndefined();
  });

  test('replaceFile fails as its sync fails, and the old bytes stay', async () => {
    const { sim } = machine();
    sim.faults.failAt({ op: 'sync', nth: 1, error: 'EIO' });
    await expect(sim.run(replaceFile(sim, '/a', bytes('new')))).rejects.toMatchObject({
      code: 'EIO',
    });
    expect(sim.readdirSync('/')).toEqual(['a']);
    expect(durable(sim)).toBe('old');
  });
});

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

describe('detectors', () => {
  test('open files, use after close and changed buffers are seen', async () => {
    const { sim, file } = machine();
    expect(sim.openFiles).toEqual(['/a']);
    expect(() => sim.assertClean()).toThrow('/a is still open');
    const buffer = Buffer.from('before');
    await sim.run(async () => {
      const write = file.writeAt(buffer, 0);
      buffer.write('after');
      await write;
      const pending = file.writeAt(bytes('x'), 0);
      expect(failing(() => file.closeSync())).toBe('EBUSY');
      await pending;
    });
    file.closeSync();
    expect(failing(() => file.writeAtSync(bytes('x'), 0))).toBe('EBADF');
    expect(sim.violations).toEqual([
      'a buffer changed while it was written to /a',
      'closeSync of /a with operations in flight',
      'write of /a after close',
    ]);
    expect(() => sim.assertClean()).toThrow('write of /a after close');
    sim.coverage.assertComplete([
      'detector:descriptor-leak',
      'detector:buffer-changed',
      'detector:close-in-flight',
      'detector:use-after-close',
    ]);
  });

  test('the target of a read in flight holds rubbish', async () => {
    const { sim, file } = machine();
    const target = Buffer.from('mine');
    const read = file.readAt(target, 0);
    expect(target.toString('hex')).toBe('dbdbdbdb');
    expect(await sim.run(read)).toBe(3);
    expect(target.toString('latin1')).toBe('old\xdb');
  });

  test('rule 3: an acknowledgement before its bytes are durable is refused', async () => {
    const { sim, file } = machine();
    await sim.run(async () => {
      const early = file.sync();
      file.writeAtSync(Buffer.alloc(600, 'x'), 1000);
      await early;
      expect(() => sim.assertDurable('/a')).toThrow('byte 512 is not');
      sim.assertDurable('/a', { from: 0, to: 3 });
      await file.sync();
    });
    sim.assertDurable('/a');
    file.truncateSync(2);
    expect(() => sim.assertDurable('/a')).toThrow('sync the file');
  });

  test('rule 3: what is acknowledged rests on durable bytes, and is remembered by position', () => {
    const { sim, file } = machine();
    sim.acknowledge('nothing');
    file.writeAtSync(bytes('new'), 0);
    const written = sim.changeCount;
    expect(() => sim.acknowledge('early', { path: '/a', from: 0, to: 3 })).toThrow(
      'early was acknowledged early: of /a, byte 0 is not: sync the file',
    );
    file.syncSync();
    sim.acknowledge('in time', { path: '/a' }, { path: '/' });
    file.closeSync();
    expect(sim.acknowledgedBy(written)).toEqual(['nothing']);
    expect(sim.acknowledgedBy(sim.changeCount)).toEqual(['nothing', 'in time']);
    expect(() => sim.assertClean()).toThrow('early was acknowledged early');
    expect(sim.coverage.times('detector:early-acknowledgement')).toBe(1);
  });

  test('a directory is durable when everything below it is', () => {
    const { sim, file } = machine();
    sim.mkdirSync('/d/e');
    expect(() => sim.assertDurable('/')).toThrow('the name /d is not durable');
    sim.syncDirSync('/');
    sim.syncDirSync('/d');
    const below = sim.openSync('/d/e/b', 'create');
    below.writeAtSync(bytes('b'), 0);
    sim.syncDirSync('/d/e');
    expect(() => sim.assertDurable('/d')).toThrow('/d/e/b: byte 0 is not');
    below.syncSync();
    sim.assertDurable('/');
    file.writeAtSync(bytes('x'), 0);
    sim.assertDurable('/d');
    expect(() => sim.assertDurable('/')).toThrow('/a: byte 0 is not');
  });
});
