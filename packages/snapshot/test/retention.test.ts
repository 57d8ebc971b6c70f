import { Snapshot, type SnapshotWriteOptions } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import {
  BAK,
  bytesOf,
  codeOf,
  contents,
  DIR,
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

async function writeAll(vfs: Vfs, from: number, to: number, keep?: number): Promise<void> {
  for (let n = from; n <= to; n++) await write(vfs, n, { keep });
}

async function listed(vfs: Vfs): Promise<[file: string, lsn: number][]> {
  const infos = await Snapshot.list(DIR, { vfs });
  return infos.map((info) => [info.file.slice('nendb.snapshot'.length), info.header.lsn]);
}

async function damage(vfs: Vfs, path: string): Promise<void> {
  const bytes = await readFile(vfs, path);
  bytes[130] ^= 0x10;
  await putFile(vfs, path, bytes);
}

describe('retention', () => {
  it('R4: keeps so many images behind the .bak, the newest first, and lists them', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 6, 2);
      expect(await listed(sim)).toEqual([
        ['', 60],
        ['.bak', 50],
        ['.1-40', 40],
        ['.1-30', 30],
      ]);
      const reports = await Snapshot.verify(DIR, { vfs: sim });
      expect(reports.map(({ role, state }) => [role, state])).toEqual([
        ['newest', 'valid'],
        ['bak', 'valid'],
        ['kept', 'valid'],
        ['kept', 'valid'],
      ]);
      for (const { file } of reports) sim.assertDurable(`${DIR}/${file}`);
      expect((await Snapshot.inspect(DIR, { vfs: sim })).length).toBe(4);
    }));

  it('goes down to a smaller number with the next image, and to none', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 6, 3);
      await writeAll(sim, 7, 7, 1);
      expect((await listed(sim)).map(([, lsn]) => lsn)).toEqual([70, 60, 50]);
      await writeAll(sim, 8, 8, 0);
      expect((await listed(sim)).map(([, lsn]) => lsn)).toEqual([80, 70]);
    }));

  it('adds none and removes none where nothing is said', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 4, 5);
      await writeAll(sim, 5, 6);
      expect((await listed(sim)).map(([, lsn]) => lsn)).toEqual([60, 50, 20, 10]);
    }));

  it('orders by epoch before LSN', () =>
    machine(async (sim) => {
      const at = (n: number, epoch: number) => write(sim, n, { epoch, keep: 5 });
      await at(9, 1);
      await at(100, 2);
      await at(11, 10);
      await at(12, 10);
      await at(13, 10);
      expect((await listed(sim)).map(([file]) => file)).toEqual([
        '',
        '.bak',
        '.10-110',
        '.2-1000',
        '.1-90',
      ]);
      await write(sim, 14, { epoch: 10, keep: 2 });
      expect((await listed(sim)).map(([file]) => file)).toEqual(['', '.bak', '.10-120', '.10-110']);
    }));

  it('leaves files of other names alone', () =>
    machine(async (sim) => {
      const others = [
        '.01-2',
        '.1-2.old',
        '.-1-2',
        '.1',
        '.1-99999999999999999',
        '.bak.1-2',
        '.9007199254740993-1',
      ];
      await sim.mkdir(DIR);
      for (const name of others) await putFile(sim, `${NEWEST}${name}`, contents(1));
      await writeAll(sim, 1, 4, 0);
      const names = await sim.readdir(DIR);
      expect(names.sort()).toEqual(
        ['', '.bak', ...others].map((name) => `nendb.snapshot${name}`).sort(),
      );
      expect(await listed(sim)).toEqual([
        ['', 40],
        ['.bak', 30],
      ]);
    }));

  it.each([-1, 0.5, 1001, Number.NaN, '2'])('refuses to keep %s', (keep) =>
    machine(async (sim) => {
      const error = await refusal(write(sim, 1, { keep } as Partial<SnapshotWriteOptions>));
      expect(error.code).toBe('SNAPSHOT_BAD_OPTION');
      expect(error.message).toContain('expected keep as an integer from 0 to 1000');
    }),
  );
});

describe('R4: retention and damage', () => {
  it('a damaged .bak is not kept, a damaged newest image changes nothing behind it', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 3, 2);
      await damage(sim, BAK);
      await write(sim, 4, { keep: 2 });
      expect(await listed(sim)).toEqual([
        ['', 40],
        ['.bak', 30],
        ['.1-10', 10],
      ]);
      await damage(sim, NEWEST);
      await write(sim, 5, { keep: 2 });
      expect((await listed(sim)).map(([, lsn]) => lsn)).toEqual([50, 30, 10]);
    }));

  it('nothing is removed while the .bak is not valid: a kept image may be all there is', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 4, 2);
      await damage(sim, NEWEST);
      await damage(sim, BAK);
      await write(sim, 5, { keep: 0 });
      const states = (await Snapshot.verify(DIR, { vfs: sim })).map(({ state }) => state);
      expect(states).toEqual(['valid', 'damaged', 'valid', 'valid']);
      await damage(sim, NEWEST);
      expect(await loadedNumber(sim)).toBe(2);
      await write(sim, 6, { keep: 0 });
      await write(sim, 7, { keep: 0 });
      expect((await listed(sim)).map(([, lsn]) => lsn)).toEqual([70, 60]);
    }));

  it('loading falls back from one to the next, saying why, down to the oldest', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 4, 2);
      const load = () => Snapshot.load(DIR, { vfs: sim, uuid });
      await damage(sim, NEWEST);
      expect(await load()).toMatchObject({ source: 'bak', info: { role: 'bak' } });
      await damage(sim, BAK);
      const kept = await load();
      expect(kept).toMatchObject({
        source: 'bak',
        info: { role: 'kept', file: 'nendb.snapshot.1-20' },
      });
      expect(kept?.reason).toMatch(
        /^nendb\.snapshot is damaged at offset \d+: .*; nendb\.snapshot\.bak is damaged at offset \d+: /,
      );
      expect((await bytesOf(kept!)).equals(contents(2))).toBe(true);
      await damage(sim, `${NEWEST}.1-20`);
      expect(await loadedNumber(sim)).toBe(1);
      await damage(sim, `${NEWEST}.1-10`);
      const error = await refusal(load());
      expect(error.code).toBe('SNAPSHOT_CORRUPT');
      expect(error.message).toContain('nendb.snapshot.1-10 is damaged at offset');
    }));

  it('finds a kept image where a crash has left no .bak', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 3, 2);
      await sim.unlink(BAK);
      await damage(sim, NEWEST);
      expect(await loadedNumber(sim)).toBe(1);
    }));
});

describe('kept images that must stay as they are', () =>
  it('R5: of another database are neither loaded nor removed', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 3, 2);
      const foreign = Buffer.from(await readFile(sim, BAK));
      await write(sim, 4, { keep: 2 });
      const { crc32 } = await import('@nendb/codec');
      foreign.set(otherUuid, 24);
      foreign.writeUInt32LE(crc32(foreign.subarray(0, 44)), 44);
      foreign.writeUInt32LE(crc32(foreign.subarray(0, 92)), 92);
      await putFile(sim, `${NEWEST}.1-20`, foreign);
      expect(await codeOf(write(sim, 5, { keep: 0 }))).toBe('SNAPSHOT_WRONG_DATABASE');
      const names = await sim.readdir(DIR);
      expect(names).toContain('nendb.snapshot.1-20');
      expect(names).toContain('nendb.snapshot.1-10');
      await write(sim, 5);
      expect(await loadedNumber(sim)).toBe(5);
      await damage(sim, NEWEST);
      await damage(sim, BAK);
      expect(await codeOf(Snapshot.load(DIR, { vfs: sim, uuid }))).toBe('SNAPSHOT_WRONG_DATABASE');
    })));

describe('the file system', () => {
  it('refusing the names is told, and keeps the image where it was', () =>
    machine(async (sim) => {
      await writeAll(sim, 1, 3, 2);
      sim.faults.failAt({ op: 'readdir', nth: 1, error: 'EIO', sticky: true });
      expect(await loadedNumber(sim)).toBe(3);
      expect(await Snapshot.inspect(DIR, { vfs: sim })).toMatchObject([
        { state: 'valid' },
        { state: 'valid' },
        { file: 'nendb.snapshot.*', role: 'kept', state: 'unreadable' },
      ]);
      expect(await codeOf(Snapshot.list(DIR, { vfs: sim }))).toBe('SNAPSHOT_IO');
      expect(await codeOf(write(sim, 4, { keep: 2 }))).toBe('SNAPSHOT_IO');
      await damage(sim, NEWEST);
      await damage(sim, BAK);
      expect(await codeOf(Snapshot.load(DIR, { vfs: sim }))).toBe('SNAPSHOT_IO');
      sim.faults.clear();
      expect(await loadedNumber(sim)).toBe(1);
    }));
});
