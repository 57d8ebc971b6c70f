import { describe, expect, test } from 'vitest';
import { bytes, failing, machine } from './disk-fixture.js';

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
