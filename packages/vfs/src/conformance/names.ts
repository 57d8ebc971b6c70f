/** The part of the suite about names: rename, unlink, directories, stat, free space. */
import assert from 'node:assert/strict';
import { replaceFile } from '../replace-file.js';
import { expectCode, fileText, makeFile, readText } from './expect.js';
import { type ConformanceCase, forBothHalves } from './subject.js';

export const nameCases: readonly ConformanceCase[] = [
  ...forBothHalves('rename replaces its target in one step', async (half, dir) => {
    await makeFile(half, `${dir}/a`, 'new');
    await makeFile(half, `${dir}/b`, 'old');
    const old = await half.open(`${dir}/b`, 'read');
    await half.rename(`${dir}/a`, `${dir}/b`);
    assert.deepEqual(await half.readdir(dir), ['b']);
    assert.equal(await fileText(half, `${dir}/b`), 'new');
    assert.equal(await readText(old), 'old');
    await old.close();
  }),

  ...forBothHalves('rename refuses what makes no sense', async (half, dir) => {
    await half.mkdir(`${dir}/d/e`);
    await makeFile(half, `${dir}/a`, 'one');
    await expectCode(half.rename(`${dir}/missing`, `${dir}/b`), 'ENOENT');
    await expectCode(half.rename(`${dir}/a`, `${dir}/missing/b`), 'ENOENT');
    await expectCode(half.rename(`${dir}/a`, `${dir}/d`), 'EISDIR');
    await expectCode(half.rename(`${dir}/d`, `${dir}/a`), 'ENOTDIR');
    await expectCode(half.rename(`${dir}/d`, `${dir}/d/e/f`), 'EINVAL');
    await expectCode(half.rename(`${dir}/missing`, `${dir}/a/b`), 'ENOTDIR');
    await expectCode(half.rename(`${dir}/d/e`, `${dir}/d`), 'ENOTEMPTY', 'EEXIST');
    await half.mkdir(`${dir}/f`);
    await expectCode(half.rename(`${dir}/f`, `${dir}/d`), 'ENOTEMPTY', 'EEXIST');
    await half.rename(`${dir}/a`, `${dir}/a`);
    assert.equal(await fileText(half, `${dir}/a`), 'one');
  }),

  ...forBothHalves('rename moves directories with what is in them', async (half, dir) => {
    await half.mkdir(`${dir}/d`);
    await makeFile(half, `${dir}/d/a`, 'one');
    await half.rename(`${dir}/d`, `${dir}/e`);
    assert.equal(await fileText(half, `${dir}/e/a`), 'one');
    assert.equal(await half.stat(`${dir}/d`), undefined);
  }),

  ...forBothHalves('unlink takes the name; open files live on', async (half, dir) => {
    await makeFile(half, `${dir}/a`, 'one');
    const file = await half.open(`${dir}/a`, 'read');
    await half.unlink(`${dir}/a`);
    assert.deepEqual(await half.readdir(dir), []);
    assert.equal(await readText(file), 'one');
    await file.close();
    await expectCode(half.unlink(`${dir}/a`), 'ENOENT');
    await half.mkdir(`${dir}/d`);
    await expectCode(half.unlink(`${dir}/d`), 'EISDIR', 'EPERM');
  }),

  ...forBothHalves('mkdir makes missing parents and accepts what is there', async (half, dir) => {
    await half.mkdir(`${dir}/x/y/z`);
    await half.mkdir(`${dir}/x/y/z`);
    assert.equal((await half.stat(`${dir}/x/y/z`))?.kind, 'directory');
    await makeFile(half, `${dir}/a`, 'one');
    await expectCode(half.mkdir(`${dir}/a`), 'EEXIST');
    await expectCode(half.mkdir(`${dir}/a/b`), 'ENOTDIR');
  }),

  ...forBothHalves('readdir names what is there', async (half, dir) => {
    for (const name of ['b', 'a', 'c']) await makeFile(half, `${dir}/${name}`, name);
    assert.deepEqual((await half.readdir(dir)).sort(), ['a', 'b', 'c']);
    await expectCode(half.readdir(`${dir}/missing`), 'ENOENT');
    await expectCode(half.readdir(`${dir}/a`), 'ENOTDIR');
  }),

  ...forBothHalves('stat tells kind and size, and nothing where nothing is', async (half, dir) => {
    await makeFile(half, `${dir}/a`, 'four');
    const stat = await half.stat(`${dir}/a`);
    assert.equal(stat?.kind, 'file');
    assert.equal(stat?.size, 4);
    assert(Number.isFinite(stat?.modifiedMs));
    assert.equal((await half.stat(dir))?.kind, 'directory');
    assert.equal(await half.stat(`${dir}/missing`), undefined);
    assert.equal(await half.stat(`${dir}/a/below`), undefined);
  }),

  ...forBothHalves('syncDir takes a directory', async (half, dir) => {
    await makeFile(half, `${dir}/a`, 'one');
    await half.syncDir(dir);
    await expectCode(half.syncDir(`${dir}/missing`), 'ENOENT');
    await expectCode(half.syncDir(`${dir}/a`), 'ENOTDIR');
  }),

  ...forBothHalves('freeBytes is a number of bytes', async (half, dir) => {
    const bytes = await half.freeBytes(dir);
    assert(Number.isSafeInteger(bytes) && bytes >= 0, `expected a count of bytes, got ${bytes}`);
    await expectCode(half.freeBytes(`${dir}/missing`), 'ENOENT');
  }),

  {
    name: 'replaceFile makes and replaces, and leaves nothing beside',
    async body({ vfs, dir }) {
      await replaceFile(vfs, `${dir}/a`, Buffer.from('first, and longer'));
      await replaceFile(vfs, `${dir}/a`, Buffer.from('second'));
      assert.deepEqual(vfs.readdirSync(dir), ['a']);
      const bytes = Buffer.alloc(100);
      const file = vfs.openSync(`${dir}/a`, 'read');
      assert.equal(bytes.toString('latin1', 0, file.readAtSync(bytes, 0)), 'second');
      file.closeSync();
      await expectCode(replaceFile(vfs, `${dir}/missing/a`, Buffer.from('x')), 'ENOENT');
      await vfs.mkdir(`${dir}/d`);
      await expectCode(replaceFile(vfs, `${dir}/d`, Buffer.from('x')), 'EISDIR');
      assert.deepEqual(vfs.readdirSync(dir).sort(), ['a', 'd']);
    },
  },
];
