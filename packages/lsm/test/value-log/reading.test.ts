/** Long values come back whichever way they are asked for, while their files come and go. */
import { Lsm } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import { expect, test } from 'vitest';

test('getAsync reads a long value as get does, also while its file is collected', async () => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    const db = await Lsm.open({
      dir: '/db',
      vfs: sim,
      memtableBytes: 4096,
      valueLog: { thresholdBytes: 100, fileBytes: 4096 },
    });
    const key = (i: number) => Buffer.from(`key${i % 20}`);
    const value = (i: number) => Buffer.alloc(500, `${i},`);
    const reads: Promise<void>[] = [];
    for (let i = 0; i < 400; i++) {
      await db.put(key(i), value(i));
      if (i % 7 === 0) {
        const expected = db.get(key(i));
        reads.push(
          db.getAsync(key(i)).then((found) => {
            expect(Buffer.from(found ?? [])).toEqual(Buffer.from(expected ?? []));
          }),
        );
      }
    }
    await db.flush();
    await db.compact();
    await Promise.all(reads);
    for (let i = 380; i < 400; i++) {
      expect(Buffer.from((await db.getAsync(key(i))) ?? [])).toEqual(value(i));
    }
    expect(await db.getAsync(Buffer.from('absent'))).toBeUndefined();
    await db.close();
  });
});
