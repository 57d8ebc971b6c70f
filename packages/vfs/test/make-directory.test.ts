import { makeDirectory, replaceFile } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';

const DIR = '/srv/db/wal';

/** What a program that starts here does: makes its directory, and writes something durable to it. */
async function start(sim: SimVfs): Promise<void> {
  await sim.run(async () => {
    await makeDirectory(sim, DIR);
    await replaceFile(sim, `${DIR}/file`, Buffer.from('x'));
  });
}

describe('makeDirectory', () => {
  test('rule 1: what is written durably below it survives, whatever happened while it was made', async () => {
    const first = new SimVfs();
    await start(first);
    for (const kind of ['kill', 'power'] as const) {
      for (const { image } of first.crashImages({ kind })) {
        const second = SimVfs.fromImage(image);
        await start(second);
        for (const last of second.crashImages({ from: second.changeCount })) {
          expect(last.image.files().has(`${DIR}/file`), `${image.label}; ${last.image.label}`).toBe(
            true,
          );
        }
      }
    }
  });

  test('accepts a directory that is there, also one whose parent may not be read', async () => {
    const sim = new SimVfs();
    await start(sim);
    sim.faults.failAt({ op: 'syncDir', nth: 1, error: 'EACCES' });
    await sim.run(makeDirectory(sim, DIR));
    sim.faults.assertAllFired();
    sim.faults.failAt({ op: 'syncDir', nth: 1, error: 'EIO' });
    await expect(sim.run(makeDirectory(sim, DIR))).rejects.toMatchObject({ code: 'EIO' });
  });

  test('refuses a file in the way', async () => {
    const sim = new SimVfs();
    await start(sim);
    for (const path of [`${DIR}/file`, `${DIR}/file/below`]) {
      await expect(sim.run(makeDirectory(sim, path))).rejects.toMatchObject({ code: 'EEXIST' });
    }
  });

  test('works with relative paths and the root', async () => {
    const sim = new SimVfs();
    await sim.run(async () => {
      await makeDirectory(sim, './a/b');
      await makeDirectory(sim, '/');
      await makeDirectory(sim, '.');
    });
    expect(sim.statSync('a/b')?.kind).toBe('directory');
  });
});
