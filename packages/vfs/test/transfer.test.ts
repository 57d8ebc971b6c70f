import { readFully, readFullySync, type VfsFile, writeFully, writeFullySync } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { delegateFile } from './planted/delegating.js';

const TEXT = Buffer.from('twenty-one bytes long');

function fileOf(sim: SimVfs): VfsFile {
  return sim.openSync('/a', 'create');
}

describe('whole transfers', () => {
  test('rule 7: short writes of every length are looped over', async () => {
    for (let bytes = 1; bytes <= TEXT.length; bytes++) {
      const sim = new SimVfs();
      sim.faults.limitEachWrite(bytes);
      const file = fileOf(sim);
      await sim.run(writeFully(file, TEXT, 7));
      writeFullySync(file, TEXT, 100);
      const read = Buffer.alloc(200);
      expect(readFullySync(file, read, 0)).toBe(100 + TEXT.length);
      expect(read.subarray(7, 7 + TEXT.length)).toEqual(TEXT);
      expect(read.subarray(100, 100 + TEXT.length)).toEqual(TEXT);
      expect(sim.counts.write).toBe(2 * Math.ceil(TEXT.length / bytes));
    }
  });

  test('rule 7: a budget that ends at any byte is ENOSPC, with the bytes before it written', async () => {
    for (let budget = 0; budget < TEXT.length; budget++) {
      const sim = new SimVfs();
      sim.faults.limitWrites(budget);
      const file = fileOf(sim);
      await expect(sim.run(writeFully(file, TEXT, 0))).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(file.sizeSync()).toBe(budget);
      expect(sim.faults.coverage().get('no-space')).toBe(1);
    }
  });

  test('a write without progress is an error, not an endless loop', async () => {
    const file = delegateFile(fileOf(new SimVfs()), {
      writeAt: async () => 0,
      writeAtSync: () => 0,
    });
    await expect(writeFully(file, TEXT, 0)).rejects.toMatchObject({ code: 'EIO', path: '/a' });
    expect(() => writeFullySync(file, TEXT, 0)).toThrow('expected a write of 1 to 21 bytes, got 0');
  });

  test('short reads are looped over; the end of the file ends them', async () => {
    const sim = new SimVfs();
    const whole = fileOf(sim);
    whole.writeAtSync(TEXT, 0);
    const file = delegateFile(whole, {
      readAt: (target, position) => whole.readAt(target.subarray(0, 4), position),
      readAtSync: (target, position) => whole.readAtSync(target.subarray(0, 4), position),
    });
    const target = Buffer.alloc(30);
    expect(readFullySync(file, target, 1)).toBe(TEXT.length - 1);
    expect(target.subarray(0, TEXT.length - 1)).toEqual(TEXT.subarray(1));
    expect(await sim.run(readFully(file, target, 0))).toBe(TEXT.length);
    expect(target.subarray(0, TEXT.length)).toEqual(TEXT);
    expect(await sim.run(readFully(file, target.subarray(0, 10), 0))).toBe(10);
  });
});
