import { crc32, lsn } from '@nendb/codec';
import { Snapshot } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import {
  BAK,
  codeOf,
  contents,
  DIR,
  header,
  loadedNumber,
  NEWEST,
  otherUuid,
  putFile,
  readFile,
  refusal,
  uuid,
  write,
} from './fixture.js';

async function machine(work: (sim: SimVfs) => Promise<void>): Promise<void> {
  const sim = new SimVfs();
  await sim.run(() => work(sim));
  sim.assertClean();
}

async function listed(vfs: Vfs): Promise<[role: string, lsn: number][]> {
  const infos = await Snapshot.list(DIR, { vfs });
  return infos.map((info) => [info.role, info.header.lsn]);
}

async function damage(vfs: Vfs, path: string): Promise<void> {
  const bytes = await readFile(vfs, path);
  bytes[130] ^= 0x10;
  await putFile(vfs, path, bytes);
}

/** Makes the image one of version 2, as a newer release would write it. */
async function makeNewer(vfs: Vfs, path: string): Promise<void> {
  const bytes = Buffer.from(await readFile(vfs, path));
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44);
  await putFile(vfs, path, bytes);
}

describe('roles', () => {
  it('there is no image where none was written, nor a directory', () =>
    machine(async (sim) => {
      expect(await Snapshot.load('/nowhere/at/all', { vfs: sim })).toBeUndefined();
      expect(await listed(sim)).toEqual([]);
      await sim.mkdir(DIR);
      expect(await loadedNumber(sim)).toBe(0);
      expect(await Snapshot.verify(DIR, { vfs: sim })).toEqual([]);
    }));

  it('R4: .bak is the second newest valid image', () =>
    machine(async (sim) => {
      for (let n = 1; n <= 4; n++) {
        await write(sim, n);
        expect(await loadedNumber(sim)).toBe(n);
        expect(await listed(sim)).toEqual(
          n === 1
            ? [['newest', 10]]
            : [
                ['newest', n * 10],
                ['bak', n * 10 - 10],
              ],
        );
        sim.assertDurable(NEWEST);
        if (n > 1) sim.assertDurable(BAK);
      }
    }));

  it('R4: a damaged newest image never replaces a good .bak', () =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await damage(sim, NEWEST);
      await write(sim, 3);
      expect(await listed(sim)).toEqual([
        ['newest', 30],
        ['bak', 10],
      ]);
      await damage(sim, NEWEST);
      expect(await loadedNumber(sim)).toBe(1);
      await putFile(sim, NEWEST, new Uint8Array(0));
      await write(sim, 4);
      expect(await listed(sim)).toEqual([
        ['newest', 40],
        ['bak', 10],
      ]);
    }));

  it('R4: a good newest image replaces a damaged .bak', () =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await damage(sim, BAK);
      await write(sim, 3);
      expect((await Snapshot.verify(DIR, { vfs: sim })).map(({ state }) => state)).toEqual([
        'valid',
        'valid',
      ]);
      expect(await listed(sim)).toEqual([
        ['newest', 30],
        ['bak', 20],
      ]);
    }));

  it('an image may be written again at the same LSN, but not an older one', () =>
    machine(async (sim) => {
      await write(sim, 5);
      await write(sim, 5);
      const error = await refusal(write(sim, 4));
      expect(error.code).toBe('SNAPSHOT_BAD_OPTION');
      expect(error.message).toContain('at or after epoch 1, LSN 50');
      expect(await codeOf(write(sim, 6, { epoch: 0 }))).toBe('SNAPSHOT_BAD_OPTION');
      await write(sim, 4, { epoch: 2 });
      expect((await Snapshot.load(DIR, { vfs: sim }))?.header).toEqual({ ...header(4), epoch: 2 });
    }));

  it('what a crashed writer left is removed, and nothing else', () =>
    machine(async (sim) => {
      await sim.mkdir(DIR);
      const stale = `nendb.snapshot.${'ab'.repeat(16)}.tmp`;
      const others = ['nendb.snapshot.mine.tmp', 'IDENTITY', `${stale}.keep`];
      for (const name of [stale, ...others]) await putFile(sim, `${DIR}/${name}`, contents(1));
      await write(sim, 1);
      expect((await sim.readdir(DIR)).sort()).toEqual([...others, 'nendb.snapshot'].sort());
    }));
});

describe('R5: images of another database', () => {
  it('are refused on loading, and not passed over for the .bak', () =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      const foreign = new SimVfs({ seed: 9 });
      const bytes = await foreignImage(foreign);
      await putFile(sim, NEWEST, bytes);
      const error = await refusal(Snapshot.load(DIR, { vfs: sim, uuid }));
      expect(error.code).toBe('SNAPSHOT_WRONG_DATABASE');
      expect(error.message).toContain('80818283-8485-8687-8889-8a8b8c8d8e8f');
      expect((await Snapshot.load(DIR, { vfs: sim }))?.header.uuid).toEqual(otherUuid);
      await sim.unlink(NEWEST);
      await putFile(sim, BAK, bytes);
      expect(await codeOf(Snapshot.load(DIR, { vfs: sim, uuid }))).toBe('SNAPSHOT_WRONG_DATABASE');
    }));

  it.each([NEWEST, BAK])('are never replaced (%s)', (path) =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await putFile(sim, path, await foreignImage(new SimVfs({ seed: 9 })));
      const before = sim.changeCount;
      expect(await codeOf(write(sim, 3))).toBe('SNAPSHOT_WRONG_DATABASE');
      expect(sim.changeCount).toBe(before);
    }),
  );

  /** Built by hand on no machine at all: a machine does not run inside another one. */
  async function foreignImage(random: SimVfs): Promise<Uint8Array> {
    const { encodeHead, imageSeed } = await import('../src/image-head.js');
    const { encodeFooter } = await import('../src/image-footer.js');
    const imageUuid = random.random.uuid();
    const { bytes, crc } = encodeHead({ ...header(7), uuid: otherUuid }, imageUuid, {
      compressed: false,
    });
    const footer = { payloadBytes: 0, fileBytes: 136, blocks: 0, chain: crc };
    return Buffer.concat([bytes, encodeFooter(footer, imageSeed(imageUuid))]);
  }
});

describe('R6: images of a newer format', () => {
  it('are refused on loading, and not passed over for the .bak', () =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await makeNewer(sim, NEWEST);
      const error = await refusal(Snapshot.load(DIR, { vfs: sim, uuid }));
      expect(error.code).toBe('SNAPSHOT_TOO_NEW');
      expect(error.message).toMatch(/nendb\.snapshot is too-new: expected version 1 or older/);
      expect(await codeOf(Snapshot.list(DIR, { vfs: sim }))).toBe('SNAPSHOT_TOO_NEW');
      expect(await Snapshot.inspect(DIR, { vfs: sim })).toMatchObject([
        { role: 'newest', state: 'too-new' },
        { role: 'bak', state: 'valid' },
      ]);
    }));

  it('are refused as .bak too, where the newest is damaged or missing', () =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await makeNewer(sim, BAK);
      expect(await loadedNumber(sim)).toBe(2);
      await damage(sim, NEWEST);
      expect(await codeOf(Snapshot.load(DIR, { vfs: sim }))).toBe('SNAPSHOT_TOO_NEW');
      await sim.unlink(NEWEST);
      expect(await codeOf(Snapshot.load(DIR, { vfs: sim }))).toBe('SNAPSHOT_TOO_NEW');
    }));

  it.each([NEWEST, BAK])('are never replaced (%s)', (path) =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await makeNewer(sim, path);
      const before = sim.changeCount;
      expect(await codeOf(write(sim, 3))).toBe('SNAPSHOT_TOO_NEW');
      expect(sim.changeCount).toBe(before);
    }),
  );
});

describe('reports', () => {
  it('inspect looks at both ends, verify at every byte', () =>
    machine(async (sim) => {
      await write(sim, 1);
      const info = await write(sim, 2);
      await damage(sim, NEWEST);
      const bak = { file: 'nendb.snapshot.bak', role: 'bak', state: 'valid' };
      expect(await Snapshot.inspect(DIR, { vfs: sim })).toMatchObject([
        { file: 'nendb.snapshot', role: 'newest', state: 'valid', info },
        { ...bak, info: { header: { lsn: lsn(10) }, payloadBytes: 40 } },
      ]);
      expect(await Snapshot.verify(DIR, { vfs: sim })).toMatchObject([
        { file: 'nendb.snapshot', state: 'damaged', info, offset: 96 },
        bak,
      ]);
    }));

  it('list leaves damaged images out', () =>
    machine(async (sim) => {
      await write(sim, 1);
      await write(sim, 2);
      await putFile(sim, NEWEST, (await readFile(sim, NEWEST)).subarray(0, 100));
      expect(await listed(sim)).toEqual([['bak', 10]]);
    }));
});
