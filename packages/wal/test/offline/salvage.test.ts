/**
 * `Wal.salvage` on damaged logs: afterwards the log opens, it holds exactly what the report says, and
 * what it does not hold is in the quarantine.
 */
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, type WalSalvageReport } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { contents, DIR, type Oracle, openSim } from '../sim-log.js';
import {
  type Built,
  build,
  buildRotated,
  cuts,
  type Damaged,
  type Ending,
  exchanges,
  type Files,
  filesOf,
  flips,
  holes,
  LAST,
  machineWith,
  SEGMENTS,
  same,
} from './damaged-log.js';

const QUARANTINE = '/aside';
/** What a salvage cannot do without; a file that cannot be opened or read is one more damage. */
const OPERATIONS = [
  'create',
  'write',
  'sync',
  'rename',
  'unlink',
  'mkdir',
  'syncDir',
  'readdir',
] as const;

/** What the oracle says of LSNs `from` to `to`. */
function slice(oracle: Oracle, from: number, to: number): [number, string][] {
  return oracle.payloads.slice(from - 1, to).map((text, i) => [from + i, text]);
}

/** What must hold of a log that was salvaged with `report`, on the machine `sim`. */
async function check(sim: SimVfs, report: WalSalvageReport, oracle: Oracle, what: string) {
  const { kept, lost } = report;
  const again = await Wal.verify(DIR, { vfs: sim });
  if (again.findings.some(({ damage }) => damage)) expect(again.findings, what).toEqual([]);
  const { wal, recovery } = await openSim(sim);
  expect(recovery.epoch, what).toBeGreaterThan(report.changed ? report.epoch : 0);
  const found = await contents(wal);
  expect(found, what).toEqual(kept ? slice(oracle, kept.from, kept.to) : []);
  const position = await wal.append(Buffer.from('after'));
  expect(position.lsn, what).toBe((kept?.to ?? 0) + 1);
  await wal.close();
  // Every record is kept, or named as lost, or newer than anything that is left could tell.
  const highest = Math.max(kept?.to ?? 0, ...lost.map(({ to }) => to));
  const named = (lsn: number) =>
    [...lost, ...(kept ? [kept] : [])].filter(({ from, to }) => from <= lsn && lsn <= to).length;
  for (let lsn = 1; lsn <= highest; lsn++) expect(named(lsn), `${what}: LSN ${lsn}`).toBe(1);
  if (highest < oracle.payloads.length && report.changed) {
    expect(report.newerMayBeLost, what).toBe(true);
  }
}

async function salvageAndCheck({ what, files }: Damaged, oracle: Oracle) {
  const sim = await machineWith(files);
  return sim.run(async () => {
    const planned = await Wal.salvage(DIR, { quarantine: QUARANTINE, dryRun: true, vfs: sim });
    if (planned.changed)
      expect(same(filesOf(sim), files), `${what}: changed by a dry run`).toBe(true);
    const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
    expect({ ...report, dryRun: true }, what).toEqual(planned);
    for (const { name, to } of report.moved) {
      const moved = sim.openSync(to, 'read');
      const bytes = new Uint8Array(moved.sizeSync());
      moved.readAtSync(bytes, 0);
      moved.closeSync();
      expect(Buffer.compare(bytes, files.get(name) as Uint8Array), `${what}: ${to}`).toBe(0);
    }
    const twice = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
    expect(twice.changed, what).toBe(false);
    expect(twice.kept, what).toEqual(report.kept);
    await check(sim, report, oracle, what);
    sim.assertClean();
    return report;
  });
}

describe('salvage of a log', () => {
  test.each<[Ending, string, (built: Built) => Iterable<Damaged>]>([
    ['closed', 'a flipped bit', ({ files }) => flips(files, 97)],
    ['idle', 'a file cut short', ({ files }) => cuts(files, 151)],
    ['busy', 'zeros in it', ({ files }) => holes(files, 24, 152)],
    ['closed', 'files lost or exchanged', exchanges],
    ['busy', 'files lost or exchanged', exchanges],
  ])('that was %s and has %s opens again', async (ending, _what, damages) => {
    const built = await build(ending);
    for (const damaged of damages(built)) await salvageAndCheck(damaged, built.oracle);
  });
});

describe('salvage', () => {
  test('of a log that rotated keeps the longest run, and whole segments as they are', async () => {
    const built = await buildRotated();
    const { files, oracle } = built;
    for (const damaged of flips(files, 509)) await salvageAndCheck(damaged, oracle);
    for (const damaged of exchanges(built)) await salvageAndCheck(damaged, oracle);

    const name = SEGMENTS[2];
    const bytes = (files.get(name) as Uint8Array).slice();
    bytes[600] ^= 1;
    const sim = await machineWith(new Map(files).set(name, bytes));
    await sim.run(async () => {
      const whole = await Wal.verify(DIR, { vfs: sim });
      const first = whole.segments[2].firstLsn as number;
      const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
      expect(report).toMatchObject({ verdict: 'corrupt', changed: true, newerMayBeLost: false });
      const { kept, lost } = report;
      expect([kept?.from, ...lost.map(({ from }) => from)].sort()).toContain(1);
      expect(kept?.from === 1 ? kept.to : lost[0].to).toBeGreaterThanOrEqual(first - 1);
      expect(report.moved.map((moved) => moved.name)).toContain(name);
    });
  });

  test.each(['clean', 'torn'])('leaves a %s log alone', async (verdict) => {
    const { files, oracle } = await build('busy');
    if (verdict === 'torn') {
      const bytes = files.get(LAST) as Uint8Array;
      files.set(LAST, bytes.slice(0, -3));
    }
    const sim = await machineWith(files);
    await sim.run(async () => {
      const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
      expect(report).toMatchObject({ verdict, changed: false, moved: [], rebuilt: [], lost: [] });
      const lastLsn = oracle.payloads.length - (verdict === 'torn' ? 1 : 0);
      expect(report.kept).toEqual({ from: 1, to: lastLsn });
      const now = filesOf(sim);
      expect(same(now, files)).toBe(true);
    });
  });

  test('keeps all records of a segment whose header is gone', async () => {
    const { files, oracle } = await build('closed');
    for (const name of SEGMENTS) {
      const bytes = (files.get(name) as Uint8Array).slice();
      bytes[90] ^= 1;
      const report = await salvageAndCheck(
        { what: name, files: new Map(files).set(name, bytes) },
        oracle,
      );
      expect(report.kept).toEqual({ from: 1, to: oracle.payloads.length });
    }
    const swapped: Files = new Map(files);
    swapped.set(SEGMENTS[0], files.get(LAST) as Uint8Array);
    swapped.set(LAST, files.get(SEGMENTS[0]) as Uint8Array);
    const report = await salvageAndCheck({ what: 'swapped', files: swapped }, oracle);
    expect(report.kept).toEqual({ from: 1, to: oracle.payloads.length });
  });

  test('reads around sectors that the device cannot read', async () => {
    const { files, oracle } = await buildRotated();
    const sim = await machineWith(files);
    await sim.run(async () => {
      sim.faults.media.failRange({
        op: 'read',
        path: SEGMENTS[1],
        from: 0,
        to: 4096,
        sticky: true,
      });
      const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
      expect(report.findings.some(({ kind }) => kind === 'unreadable')).toBe(true);
      await check(sim, report, oracle, 'a bad sector');
    });
  });

  test('is refused while the log is open, and where there is none', async () => {
    const sim = new SimVfs({ record: false });
    await sim.run(async () => {
      const quarantine = QUARANTINE;
      await expect(Wal.salvage('/none', { quarantine, vfs: sim })).rejects.toMatchObject({
        code: 'WAL_MISSING',
      });
      const { wal } = await openSim(sim);
      for (const dryRun of [true, false]) {
        await expect(Wal.salvage(DIR, { quarantine, dryRun, vfs: sim })).rejects.toMatchObject({
          code: 'WAL_LOCKED',
        });
      }
      await wal.close();
      await expect(Wal.salvage(DIR, { quarantine: '', vfs: sim })).rejects.toMatchObject({
        code: 'WAL_BAD_OPTION',
      });
    });
  });

  test('overwrites nothing in its quarantine', async () => {
    const { files } = await build('closed');
    const damaged = () => new Map(files).set(SEGMENTS[1], new Uint8Array(100).fill(1));
    const sim = await machineWith(damaged());
    await sim.run(async () => {
      sim.mkdirSync(QUARANTINE);
      sim.openSync(`${QUARANTINE}/HEAD`, 'create').closeSync();
      const { moved } = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
      expect(moved.find(({ name }) => name === 'HEAD')?.to).toBe(`${QUARANTINE}/HEAD.1`);
    });
  });

  test('copies to a quarantine on another file system', async () => {
    const { files, oracle } = await build('closed');
    const bytes = (files.get(SEGMENTS[1]) as Uint8Array).slice();
    bytes[700] ^= 8;
    const sim = await machineWith(new Map(files).set(SEGMENTS[1], bytes));
    await sim.run(async () => {
      const vfs = new Proxy(sim, {
        get(target, key) {
          if (key === 'rename') {
            return async (from: string, to: string) => {
              const across = from.startsWith(DIR) !== to.startsWith(DIR);
              if (across) throw Object.assign(new Error('another device'), { code: 'EXDEV' });
              await target.rename(from, to);
            };
          }
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs });
      const moved = report.moved.find(({ name }) => name === SEGMENTS[1]);
      const copy = sim.openSync(moved?.to as string, 'read');
      expect(copy.sizeSync()).toBe(bytes.length);
      copy.closeSync();
      await check(sim, report, oracle, 'another file system');
    });
  });

  test('that finds no room has changed nothing', async () => {
    const { files } = await buildRotated();
    const bytes = (files.get(SEGMENTS[1]) as Uint8Array).slice();
    bytes[3000] ^= 8;
    const damaged = new Map(files).set(SEGMENTS[1], bytes);
    const sim = await machineWith(damaged);
    await sim.run(async () => {
      sim.faults.limitWrites(2000);
      const failing = Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
      await expect(failing).rejects.toMatchObject({ code: 'WAL_FULL' });
      expect(same(filesOf(sim), damaged)).toBe(true);
    });
  });
});

describe('a salvage that dies', () => {
  test.each(['power', 'kill'] as const)(
    'by a %s crash at any operation goes on when it is run again',
    async (kind) => {
      const { files, oracle } = await build('idle');
      const bytes = (files.get(SEGMENTS[1]) as Uint8Array).slice();
      bytes[760] ^= 1;
      const damaged = new Map(files).set(SEGMENTS[1], bytes);
      const sim = await machineWith(damaged, true);
      const planned = await sim.run(() => Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim }));
      let images = 0;
      let refused = 0;
      for (const { image } of sim.crashImages({ kind, samples: 2, subsetsMax: 4 })) {
        images++;
        const after = SimVfs.fromImage(image, { seed: 7, record: false });
        await after.run(async () => {
          const before = await Wal.verify(DIR, { vfs: after });
          if (before.verdict === 'corrupt') {
            refused++;
            await expect(
              openSim(after, { recover: { from: 1 as never, onRecord: () => undefined } }),
            ).rejects.toMatchObject({ verdict: 'corrupt' });
          }
          const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: after });
          expect(report.kept, image.label).toEqual(planned.kept);
          await check(after, { ...report, lost: planned.lost }, oracle, image.label);
        });
        const left = new Set(
          [...image.files().values()].map((each) => Buffer.from(each).toString('hex')),
        );
        for (const original of damaged.values()) {
          expect(left.has(Buffer.from(original).toString('hex')), image.label).toBe(true);
        }
      }
      expect(images).toBeGreaterThan(30);
      expect(refused).toBeGreaterThan(10);
    },
  );
});

describe('a salvage on a failing disk', () => {
  test('says so, loses nothing, and works once the disk does', async () => {
    const { files, oracle } = await build('closed');
    const bytes = (files.get(SEGMENTS[1]) as Uint8Array).slice();
    bytes[760] ^= 1;
    const damaged = new Map(files).set(SEGMENTS[1], bytes);
    const plain = await machineWith(damaged);
    const planned = await plain.run(() => Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: plain }));
    let failures = 0;
    for (const op of OPERATIONS) {
      for (let nth = 1; ; nth++) {
        const sim = await machineWith(damaged);
        const failed = await sim.run(async () => {
          sim.faults.failAt({ op, nth, error: 'EIO' });
          const error = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim }).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          sim.faults.clear();
          if (error === undefined) return false;
          expect(error, `${op} ${nth}`).toBeInstanceOf(Error);
          const report = await Wal.salvage(DIR, { quarantine: QUARANTINE, vfs: sim });
          expect(report.kept, `${op} ${nth}`).toEqual(planned.kept);
          await check(sim, { ...report, lost: planned.lost }, oracle, `${op} ${nth}`);
          sim.assertClean();
          return true;
        });
        if (!failed) break;
        failures++;
      }
    }
    expect(failures).toBeGreaterThan(15);
  });
});
