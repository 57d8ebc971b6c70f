/** Appends that are synced, beside the same bytes synced by hand. */
import { crc32 } from '@nendb/codec';
import { Wal } from '@nendb/wal';
import { comparePairs, type Load, median, type Pairs, quantile, repeatFor } from '../measure.js';
import { milliseconds, perSecond, type Row, ratioOf } from '../table.js';
import { RawFile } from './raw.js';
import { KB, THOUSAND } from './records.js';
import { writers } from './writers.js';

type Report = (row: Row) => void;

/** Long enough for the log to make room for the next round of a burst. */
const REST_MS = 150;
const BURST_MS = 12;

/** Some ten thousand appends, one after the other: before that not all of it is compiled. */
const WARM_UP_MS = 3000;

export async function oneWriter(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw`);
  const { wal } = await Wal.open({ dir: `${dir}/log`, sync: 'always' });
  const one = await comparePairs(writers(wal, 1, KB), raw.synced(KB), {
    warmUpMs: WARM_UP_MS,
  });
  report({
    name: 'always, 1 writer, 1 KB',
    goal: '>= 0.95 of raw',
    measured: perSecond(one.ours),
    reference: `${perSecond(one.reference)} writeSync + fdatasyncSync`,
    ratio: ratioOf(one),
    met: one.ratio >= 0.95,
  });
  const pooled = await comparePairs(writers(wal, 1, KB), raw.pooled(KB));
  report({
    name: 'the same, pooled loop',
    goal: '',
    measured: perSecond(pooled.ours),
    reference: `${perSecond(pooled.reference)} write + fdatasync`,
    ratio: ratioOf(pooled),
  });
  await wal.close();
  raw.close();
}

export async function manyWriters(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw`);
  const { wal } = await Wal.open({ dir: `${dir}/log`, sync: 'always' });
  const many = await comparePairs(writers(wal, 64, KB), writers(wal, 1, KB), { restMs: REST_MS });
  report({
    name: 'always, 64 writers, 1 KB',
    goal: '>= 30x one writer',
    measured: perSecond(many.ours),
    reference: `${perSecond(many.reference)} one writer`,
    ratio: ratioOf(many),
    met: many.ratio >= 30,
  });
  const rested = tailInSyncs(
    await comparePairs(writers(wal, 64, KB), raw.synced(KB), { restMs: REST_MS }),
  );
  report({
    name: 'the same, p99 of an append',
    goal: '<= 3 syncs',
    measured: milliseconds(rested.p99Ms),
    reference: `${milliseconds(rested.syncMs)} writeSync + fdatasyncSync`,
    ratio: rested.ratio.toFixed(2),
    met: rested.ratio <= 3,
  });
  const restless = await comparePairs(writers(wal, 64, KB), writers(wal, 1, KB));
  report({
    name: '64 writers without a rest',
    goal: '',
    measured: perSecond(restless.ours),
    reference: `${perSecond(restless.reference)} one writer`,
    ratio: ratioOf(restless),
  });
  const tail = tailInSyncs(await comparePairs(writers(wal, 64, KB), raw.synced(KB)));
  report({
    name: 'the same, p99 of an append',
    goal: '',
    measured: milliseconds(tail.p99Ms),
    reference: `${milliseconds(tail.syncMs)} writeSync + fdatasyncSync`,
    ratio: tail.ratio.toFixed(2),
  });
  await wal.close();
  raw.close();
}

/** The p99 of appends beside what a sync took meanwhile: medians over the pairs. */
function tailInSyncs({ samples }: Pairs): { p99Ms: number; syncMs: number; ratio: number } {
  const p99s = samples.map(([{ latenciesMs }]) => quantile(latenciesMs ?? [], 0.99));
  const syncs = samples.map(([, { count, elapsedMs }]) => elapsedMs / count);
  const ratio = median(p99s.map((p99, i) => p99 / syncs[i]));
  return { p99Ms: median(p99s), syncMs: median(syncs), ratio };
}

export async function scaling(dir: string, report: Report): Promise<void> {
  const { wal } = await Wal.open({ dir: `${dir}/log`, sync: 'always' });
  let worst = Number.POSITIVE_INFINITY;
  const rates: string[] = [];
  for (const count of [2, 4, 8, 16, 32, 64]) {
    const pairs = await comparePairs(writers(wal, count, KB), writers(wal, 1, KB), { pairs: 15 });
    rates.push(`${count}: ${pairs.ratio.toFixed(1)}x`);
    worst = Math.min(worst, pairs.ratio);
  }
  report({
    name: '1 -> 64 writers',
    goal: 'never slower than one',
    measured: rates.join(', '),
    reference: 'one writer',
    ratio: worst.toFixed(2),
    met: worst >= 1,
  });
  await wal.close();
}

export async function batch(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw`);
  const { wal } = await Wal.open({ dir: `${dir}/log`, sync: 'always' });
  const ours: Load = (ms) =>
    repeatFor(ms, 1000, async () => {
      await wal.appendBatch(THOUSAND);
    });
  const reference = raw.synced(Buffer.concat(THOUSAND), 1000);
  const rested = await comparePairs(ours, reference, { pairMs: BURST_MS, restMs: REST_MS });
  report({
    name: 'batch of 1000 x 1 KB, one sync',
    goal: '>= 0.6 of raw',
    measured: perSecond(rested.ours),
    reference: perSecond(rested.reference),
    ratio: ratioOf(rested),
    met: rested.ratio >= 0.6,
  });
  const restless = await comparePairs(ours, reference);
  report({
    name: 'the same without a rest',
    goal: '',
    measured: perSecond(restless.ours),
    reference: perSecond(restless.reference),
    ratio: ratioOf(restless),
  });
  const least = await comparePairs(byHand(`${dir}/by-hand`), reference);
  report({
    name: 'the same by hand: copy, crc32, write, sync',
    goal: '',
    measured: perSecond(least.ours),
    reference: perSecond(least.reference),
    ratio: ratioOf(least),
  });
  await wal.close();
  raw.close();
}

/** What any log has to do for a batch with a checksum, on a preallocated file. */
function byHand(path: string): Load {
  const file = new RawFile(path);
  const bytes = new Uint8Array(THOUSAND.length * KB.length);
  return (ms) =>
    repeatFor(ms, THOUSAND.length, () => {
      let at = 0;
      for (const record of THOUSAND) {
        bytes.set(record, at);
        at += record.length;
      }
      crc32(bytes);
      file.writeSynced(bytes);
    });
}
