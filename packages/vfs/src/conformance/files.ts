/** The part of the suite about open files: bytes, sizes, modes, closing. */
import assert from 'node:assert/strict';
import { expectCode, fileText, makeFile, readText, writeAll, writeText } from './expect.js';
import { type ConformanceCase, forBothHalves } from './subject.js';

export const fileCases: readonly ConformanceCase[] = [
  ...forBothHalves('create makes a file that must not exist yet', async (half, dir) => {
    await makeFile(half, `${dir}/a`, 'one');
    await expectCode(half.open(`${dir}/a`, 'create'), 'EEXIST');
    assert.equal(await fileText(half, `${dir}/a`), 'one');
    await expectCode(half.open(`${dir}/missing/a`, 'create'), 'ENOENT');
  }),

  ...forBothHalves('read and write open a file that must exist', async (half, dir) => {
    await expectCode(half.open(`${dir}/a`, 'read'), 'ENOENT');
    await expectCode(half.open(`${dir}/a`, 'write'), 'ENOENT');
    await makeFile(half, `${dir}/a`, 'one');
    await expectCode(half.open(`${dir}/a/b`, 'write'), 'ENOTDIR');
    await half.mkdir(`${dir}/d`);
    await expectCode(half.open(`${dir}/d`, 'write'), 'EISDIR');
    const file = await half.open(`${dir}/a`, 'write');
    await writeText(file, 'u', 2);
    assert.equal(await readText(file), 'onu');
    await file.close();
  }),

  ...forBothHalves('reads and writes are at positions; gaps are zeros', async (half, dir) => {
    const file = await half.open(`${dir}/a`, 'create');
    await writeText(file, 'tail', 1000);
    await writeText(file, 'head', 0);
    assert.equal(await file.size(), 1004);
    assert.equal(await readText(file), `head${'\0'.repeat(996)}tail`);
    await file.close();
  }),

  ...forBothHalves('a read is short at the end of the file only', async (half, dir) => {
    const file = await half.open(`${dir}/a`, 'create');
    const all = Buffer.alloc(3000, 'x');
    await writeAll(file, all, 0);
    const target = Buffer.alloc(2000, '-');
    assert.equal(await file.readAt(target, 0), 2000);
    assert.equal(await file.readAt(target, 2500), 500);
    assert.equal(await file.readAt(target, 3000), 0);
    assert.equal(await file.readAt(target, 9000), 0);
    assert.equal(await file.readAt(new Uint8Array(0), 0), 0);
    assert.equal(await file.writeAt(new Uint8Array(0), 5000), 0);
    assert.equal(await file.size(), 3000);
    await file.close();
  }),

  ...forBothHalves('views into larger buffers are honoured', async (half, dir) => {
    const file = await half.open(`${dir}/a`, 'create');
    const large = new Uint8Array(Buffer.from('0123456789'));
    await writeAll(file, large.subarray(2, 5), 0);
    assert.equal(await file.readAt(large.subarray(7, 10), 0), 3);
    assert.equal(Buffer.from(large).toString(), '0123456234');
    await file.close();
  }),

  ...forBothHalves('truncate cuts, and extends with zeros', async (half, dir) => {
    const file = await half.open(`${dir}/a`, 'create');
    await writeText(file, 'x'.repeat(1500));
    await file.truncate(700);
    assert.equal(await file.size(), 700);
    await file.truncate(1500);
    assert.equal(await readText(file), 'x'.repeat(700) + '\0'.repeat(800));
    await file.truncate(0);
    assert.equal(await readText(file), '');
    await file.close();
  }),

  ...forBothHalves('a file open for reading refuses changes', async (half, dir) => {
    await makeFile(half, `${dir}/a`, 'one');
    const file = await half.open(`${dir}/a`, 'read');
    await expectCode(file.writeAt(Buffer.from('x'), 0), 'EBADF');
    await expectCode(file.truncate(0), 'EINVAL', 'EBADF');
    assert.equal(await readText(file), 'one');
    await file.close();
  }),

  ...forBothHalves('sync, whole or data only, keeps the bytes', async (half, dir) => {
    const file = await half.open(`${dir}/a`, 'create');
    await writeText(file, 'one');
    await file.sync({ dataOnly: true });
    await writeText(file, 'two', 3);
    await file.sync();
    assert.equal(await readText(file), 'onetwo');
    await file.close();
  }),

  ...forBothHalves('a closed file refuses everything', async (half, dir) => {
    const file = await half.open(`${dir}/a`, 'create');
    await file.close();
    await expectCode(file.readAt(Buffer.alloc(1), 0), 'EBADF');
    await expectCode(file.writeAt(Buffer.alloc(1), 0), 'EBADF');
    await expectCode(file.truncate(0), 'EBADF');
    await expectCode(file.sync(), 'EBADF');
    await expectCode(file.size(), 'EBADF');
    await expectCode(file.close(), 'EBADF');
  }),

  ...forBothHalves('two descriptors of one file see the same bytes', async (half, dir) => {
    const writer = await half.open(`${dir}/a`, 'create');
    const reader = await half.open(`${dir}/a`, 'read');
    await writeText(writer, 'seen');
    assert.equal(await readText(reader), 'seen');
    await writer.close();
    await reader.close();
  }),

  {
    name: 'writes in flight at once all land; close waits for them',
    async body({ vfs, dir }) {
      const file = await vfs.open(`${dir}/a`, 'create');
      const parts = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100, 65 + i));
      const writes = parts.map((part, i) => file.writeAt(part, i * 100));
      const closed = file.close();
      const written = await Promise.all(writes);
      await closed;
      const bytes = Buffer.alloc(2000);
      const reader = vfs.openSync(`${dir}/a`, 'read');
      reader.readAtSync(bytes, 0);
      reader.closeSync();
      for (const [i, part] of parts.entries()) {
        assert(written[i] > 0, 'expected each write to write something');
        const landed = bytes.subarray(i * 100, i * 100 + written[i]);
        assert.deepEqual(landed, part.subarray(0, written[i]));
      }
    },
  },

  {
    name: 'closeSync refuses while a write is in flight',
    async body({ vfs, dir }) {
      const file = await vfs.open(`${dir}/a`, 'create');
      const write = file.writeAt(Buffer.from('late'), 0);
      await expectCode((async () => file.closeSync())(), 'EBUSY');
      assert((await write) > 0);
      file.closeSync();
    },
  },
];
