/** Appends that are only written, rotation, and what a record costs besides itself. */
import { Wal } from '@nendb/wal';
import { comparePairs, median, quantile, repeatFor, type Sample } from '../measure.js';
import { milliseconds, perSecond, type Row, ratioOf } from '../table.js';
import { RawFile } from './raw.js';
import { KB, SMALL } from './records.js';
import { writers } from './writers.js';

type Report = (row: Row) => void;

export async function inFlight(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw`);
  const { wal } = await Wal.open({ dir: `${dir}/log`, sync: 'os' });
  const flight = await comparePairs(writers(wal, 64, SMALL), raw.unsynced(SMALL));
  report({
    name: 'os, 100 B, 64 in flight',
    goal: '>= 1.0 M/s',
    measured: perSecond(flight.ours),
    reference: `${perSecond(flight.reference)} writeSync each`,
    ratio: ratioOf(flight),
    met: flight.ours >= 1e6,
  });
  await wal.close();
  raw.close();
}

export async function appendSync(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw`);
  const { wal } = await Wal.open({ dir: `${dir}/log`, sync: 'os' });
  const sync = await comparePairs(
    (ms) =>
      repeatFor(ms, 64, () => {
        for (let i = 0; i < 64; i++) wal.appendSync(SMALL);
      }),
    raw.unsynced(SMALL),
  );
  report({
    name: 'os, 100 B, appendSync',
    goal: '>= 0.8 of raw',
    measured: perSecond(sync.ours),
    reference: `${perSecond(sync.reference)} writeSync`,
    ratio: ratioOf(sync),
    met: sync.ratio >= 0.8,
  });
  await wal.close();
  raw.close();
}

const ROTATION_PAIRS = 15;
const ROTATION_MS = 200;

/** p99.9 of an append in a log that rotates all the time, beside one that never does. */
export async function rotation(dir: string, report: Report): Promise<void> {
  const MiB = 1024 * 1024;
  const often = await Wal.open({ dir: `${dir}/rotating`, sync: 'os', segmentBytesMax: 4 * MiB });
  const never = await Wal.open({ dir: `${dir}/steady`, sync: 'os', segmentBytesMax: 1024 * MiB });
  const tail = ({ latenciesMs }: Sample) => quantile(latenciesMs ?? [], 0.999);
  const ratios: number[] = [];
  const ours: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < ROTATION_PAIRS; round++) {
    const steady = tail(await writers(never.wal, 16, KB)(ROTATION_MS));
    const rotating = tail(await writers(often.wal, 16, KB)(ROTATION_MS));
    ratios.push(rotating / steady);
    ours.push(rotating);
    others.push(steady);
    await often.wal.truncateBefore(often.wal.durableLsn);
  }
  const ratio = median(ratios);
  report({
    name: 'rotation, p99.9 of an append',
    goal: '<= 1.5x without',
    measured: milliseconds(median(ours)),
    reference: `${milliseconds(median(others))} without, ${often.wal.stats.rotations} rotations`,
    ratio: ratio.toFixed(2),
    met: ratio <= 1.5,
  });
  await often.wal.close();
  await never.wal.close();
}

export async function overhead(dir: string, report: Report): Promise<void> {
  const { wal } = await Wal.open({ dir: `${dir}/overhead`, sync: 'os', preallocate: false });
  const batch = Array.from({ length: 64 }, () => SMALL);
  const batches = 200;
  const first = await wal.appendBatch(batch);
  let last = first;
  for (let i = 0; i < batches; i++) last = await wal.appendBatch(batch);
  const perRecord = (last.offset - first.offset) / (64 * batches) - SMALL.length;
  await wal.close();
  report({
    name: 'overhead in batches of 64',
    goal: '<= 16 bytes a record',
    measured: `${perRecord.toFixed(1)} bytes`,
    reference: '100 B records',
    ratio: '',
    met: perRecord <= 16,
  });
}
