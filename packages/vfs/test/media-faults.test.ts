import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { bytes, cached, durable, failing, machine } from './disk-fixture.js';

describe('a bad range', () => {
  test('fails the reads that touch it: once, or for as long as it is sticky', () => {
    const { sim, file } = machine('0123456789');
    const read = (at: number, length: number) =>
      failing(() => file.readAtSync(Buffer.alloc(length), at));
    sim.faults.media.failRange({ path: '/a', from: 4, to: 6, op: 'read' });
    expect([read(0, 4), read(6, 4), read(3, 2), read(0, 10)]).toEqual([
      undefined,
      undefined,
      'EIO',
      undefined,
    ]);
    sim.faults.media.failRange({ path: '/a', from: 4, to: 6, op: 'read', sticky: true });
    expect([read(0, 10), read(5, 1), read(0, 4)]).toEqual(['EIO', 'EIO', undefined]);
    expect(sim.coverage.times('bad-range:read')).toBe(3);
    sim.faults.clear();
    expect(read(0, 10)).toBeUndefined();
  });

  test('cuts a write that reaches it, and fails one that starts in it', () => {
    const { sim, file } = machine('0123456789');
    sim.faults.media.failRange({
      path: '/a',
      from: 4,
      to: 6,
      op: 'write',
      error: 'EREMOTEIO',
      sticky: true,
    });
    expect(file.writeAtSync(bytes('abcdefgh'), 0)).toBe(4);
    expect(failing(() => file.writeAtSync(bytes('efgh'), 4))).toBe('EREMOTEIO');
    expect(file.writeAtSync(bytes('gh'), 6)).toBe(2);
    expect(cached(file)).toBe('abcd45gh89');
    expect(sim.coverage.times('bad-range:write')).toBe(1);
  });

  test('must be a range, and counts as planned until it happened', () => {
    const sim = new SimVfs();
    const empty = { path: '/a', from: 4, to: 4, op: 'read' } as const;
    expect(() => sim.faults.media.failRange(empty)).toThrow(RangeError);
    sim.faults.media.failRange({ ...empty, to: 5 });
    expect(() => sim.faults.assertAllFired()).toThrow('read of /a 4 to 5');
  });
});

describe('a misdirected transfer', () => {
  test('reads another place, once', async () => {
    const { sim, file } = machine('0123456789');
    const read = async (at: number) => {
      const target = Buffer.alloc(3);
      return [await sim.run(file.readAt(target, at)), target.toString('latin1')];
    };
    sim.faults.media.misdirectReadAt({ nth: 2, shiftBytes: 4 });
    expect(await read(0)).toEqual([3, '012']);
    expect(await read(0)).toEqual([3, '456']);
    expect(await read(0)).toEqual([3, '012']);
    expect(sim.coverage.times('misdirected:read')).toBe(1);
  });

  test('writes to another place, and says nothing', () => {
    const { sim, file } = machine('0123456789');
    sim.faults.media.misdirectWriteAt({ nth: 1, shiftBytes: 5, path: '/a' });
    expect(file.writeAtSync(bytes('ab'), 1)).toBe(2);
    expect(cached(file)).toBe('012345ab89');
    file.syncSync();
    expect(durable(sim)).toBe('012345ab89');
    sim.faults.media.misdirectWriteAt({ nth: 1, shiftBytes: -512 });
    file.writeAtSync(bytes('z'), 3);
    expect(cached(file)).toBe('z12345ab89');
    expect(sim.coverage.times('misdirected:write')).toBe(2);
    sim.faults.assertAllFired();
  });

  test('goes somewhere else', () => {
    const sim = new SimVfs();
    const nowhere = { nth: 1, shiftBytes: 0 };
    expect(() => sim.faults.media.misdirectWriteAt(nowhere)).toThrow(RangeError);
    sim.faults.media.misdirectReadAt({ nth: 3, shiftBytes: 8 });
    expect(() => sim.faults.assertAllFired()).toThrow('read 3 misdirected by 8 bytes');
  });
});
