import { replaceFile } from '@nendb/vfs';
import { describe, expect, test } from 'vitest';
import { bytes, cached, durable, failing, machine } from './disk-fixture.js';

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
