/**
 * The log beside the bare disk and its peers. Each case names its goal; both sides of a ratio run
 * in turns in this process.
 */
import { lsn } from '@nendb/codec';
import { Wal } from '@nendb/wal';
import {
  comparePairs,
  type Load,
  median,
  quantile,
  ROUND_MS,
  ROUNDS,
  rateOf,
  repeatFor,
  type Sample,
} from '../measure.js';
import { bytesPerSecond, milliseconds, perSecond, type Row } from '../table.js';
import { openPeers } from './peers.js';
import { RawFile } from './raw.js';

const KB = Buffer.alloc(1024, 'k');
const SMALL = Buffer.alloc(100, 's');
const THOUSAND = Array.from({ length: 1000 }, () => KB);

type Report = (row: Row) => void;

export async function suite(dir: string, report: Report): Promise<void> {
  await durableAppends(dir, report);
  await batches(dir, report);
  await unsyncedAppends(dir, report);
  await rotation(dir, report);
  await overhead(dir, report);
  await reading(dir, report);
  await peers(dir, report);
}

async function durableAppends(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw-always`);
  const { wal } = await Wal.open({ dir: `${dir}/always`, sync: 'always' });
  const one = await comparePairs(writers(wal, 1, KB), raw.synced(KB));
  report({
    name: 'always, 1 writer, 1 KB',
    goal: '>= 0.95 of raw',
    measured: perSecond(one.ours),
    reference: `${perSecond(one.reference)} writeSync + fdatasyncSync`,
    ratio: one.ratio.toFixed(2),
    met: one.ratio >= 0.95,
  });
  const pooled = await comparePairs(writers(wal, 1, KB), raw.pooled(KB));
  report({
    name: 'the same, pooled loop',
    goal: '',
    measured: perSecond(pooled.ours),
    reference: `${perSecond(pooled.reference)} write + fdatasync`,
    ratio: pooled.ratio.toFixed(2),
  });
  const many = await comparePairs(writers(wal, 64, KB), writers(wal, 1, KB));
  report({
    name: 'always, 64 writers, 1 KB',
    goal: '>= 30x one writer',
    measured: perSecond(many.ours),
    reference: `${perSecond(many.reference)} one writer`,
    ratio: many.ratio.toFixed(1),
    met: many.ratio >= 30,
  });
  const p99 = median(many.samples.map(({ latenciesMs }) => quantile(latenciesMs ?? [], 0.99)));
  const syncMs = 1000 / one.reference;
  report({
    name: 'the same, p99 of an append',
    goal: '<= 3 syncs',
    measured: milliseconds(p99),
    reference: `${milliseconds(syncMs)} one sync`,
    ratio: (p99 / syncMs).toFixed(2),
    met: p99 <= 3 * syncMs,
  });
  await scaling(wal, report);
  await wal.close();
  raw.close();
}

async function scaling(wal: Wal, report: Report): Promise<void> {
  let worst = Number.POSITIVE_INFINITY;
  const rates: string[] = [];
  for (const count of [2, 4, 8, 16, 32, 64]) {
    const pairs = await comparePairs(writers(wal, count, KB), writers(wal, 1, KB), 3, ROUND_MS / 2);
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
}

async function batches(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw-batch`);
  const { wal } = await Wal.open({ dir: `${dir}/batch`, sync: 'always' });
  const pairs = await comparePairs(
    (ms) =>
      repeatFor(ms, 1000, async () => {
        await wal.appendBatch(THOUSAND);
      }),
    raw.synced(Buffer.concat(THOUSAND), 1000),
  );
  report({
    name: 'batch of 1000 x 1 KB, one sync',
    goal: '>= 0.6 of raw',
    measured: perSecond(pairs.ours),
    reference: perSecond(pairs.reference),
    ratio: pairs.ratio.toFixed(2),
    met: pairs.ratio >= 0.6,
  });
  await wal.close();
  raw.close();
}

async function unsyncedAppends(dir: string, report: Report): Promise<void> {
  const raw = new RawFile(`${dir}/raw-os`);
  const { wal } = await Wal.open({ dir: `${dir}/os`, sync: 'os' });
  const flight = await comparePairs(writers(wal, 64, SMALL), raw.unsynced(SMALL));
  report({
    name: 'os, 100 B, 64 in flight',
    goal: '>= 1.0 M/s',
    measured: perSecond(flight.ours),
    reference: `${perSecond(flight.reference)} writeSync each`,
    ratio: flight.ratio.toFixed(2),
    met: flight.ours >= 1e6,
  });
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
    ratio: sync.ratio.toFixed(2),
    met: sync.ratio >= 0.8,
  });
  await wal.close();
  raw.close();
}

/** p99.9 of an append in a log that rotates all the time, beside one that never does. */
async function rotation(dir: string, report: Report): Promise<void> {
  const MiB = 1024 * 1024;
  const often = await Wal.open({ dir: `${dir}/rotating`, sync: 'os', segmentBytesMax: 4 * MiB });
  const never = await Wal.open({ dir: `${dir}/steady`, sync: 'os', segmentBytesMax: 1024 * MiB });
  const tail = ({ latenciesMs }: Sample) => quantile(latenciesMs ?? [], 0.999);
  const ratios: number[] = [];
  const ours: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const steady = tail(await writers(never.wal, 16, KB)(ROUND_MS));
    const rotating = tail(await writers(often.wal, 16, KB)(ROUND_MS));
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

async function overhead(dir: string, report: Report): Promise<void> {
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

const GIGABYTE = 1e9;

async function reading(dir: string, report: Report): Promise<void> {
  await readAll(`${dir}/read-small`, SMALL, 2e8, report);
  const path = `${dir}/read-large`;
  await readAll(path, KB, GIGABYTE, report);
  const openMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    const { wal } = await Wal.open({ dir: path, sync: 'os' });
    openMs.push(performance.now() - startMs);
    await wal.close();
  }
  report({
    name: 'opening a clean 1 GB log',
    goal: '< 50 ms',
    measured: milliseconds(median(openMs)),
    reference: '',
    ratio: '',
    met: median(openMs) < 50,
  });
  await verifying(path, GIGABYTE, report);
}

/** Reads every checksum of the log, with the memory that takes beside what was there before. */
async function verifying(path: string, bytes: number, report: Report): Promise<void> {
  const rates: number[] = [];
  const used = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, used());
  }, 5);
  for (let round = 0; round < 3; round++) {
    const startMs = performance.now();
    const { verdict } = await Wal.verify(path);
    if (verdict !== 'clean') throw new Error(`expected a clean log, got ${verdict}`);
    rates.push(rateOf({ count: bytes, elapsedMs: performance.now() - startMs }));
  }
  clearInterval(sampler);
  const rate = median(rates);
  report({
    name: 'full verify of 1 GB',
    goal: '>= 1 GB/s',
    measured: bytesPerSecond(rate),
    reference: '',
    ratio: '',
    met: rate >= 1e9,
  });
  report({
    name: 'the same, memory',
    goal: '<= 64 MB',
    measured: `${((peak - before) / 1e6).toFixed(0)} MB`,
    reference: 'heap and buffers, sampled',
    ratio: '',
    met: peak - before <= 64e6,
  });
}

/** Fills a log with `bytes` of `record`, then reads it whole, every checksum included. */
async function readAll(path: string, record: Buffer, bytes: number, report: Report): Promise<void> {
  const { wal } = await Wal.open({ dir: path, sync: 'os' });
  const batch = Array.from({ length: 1000 }, () => record);
  for (let written = 0; written < bytes; written += 1000 * record.length)
    await wal.appendBatch(batch);
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    let count = 0;
    const startMs = performance.now();
    await wal.replay(lsn(1), () => {
      count++;
    });
    rates.push(rateOf({ count, elapsedMs: performance.now() - startMs }));
  }
  await wal.close();
  const rate = median(rates);
  const small = record.length < 1000;
  report({
    name: `verified sequential read, ${small ? '100 B' : '1 KB'}`,
    goal: small ? '>= 3 M/s' : '>= 1 GB/s',
    measured: small ? perSecond(rate) : bytesPerSecond(rate * record.length),
    reference: `${bytes / 1e9} GB`,
    ratio: '',
    met: small ? rate >= 3e6 : rate * record.length >= 1e9,
  });
}

async function peers(dir: string, report: Report): Promise<void> {
  const { wal } = await Wal.open({ dir: `${dir}/beside-peers`, sync: 'always' });
  for (const peer of await openPeers(dir)) {
    for (const count of [1, 64]) {
      const pairs = await comparePairs(writers(wal, count, KB), peer.load(count, KB), 3);
      report({
        name: `peer: ${peer.name}, ${count} writer${count > 1 ? 's' : ''}`,
        goal: '',
        measured: perSecond(pairs.ours),
        reference: perSecond(pairs.reference),
        ratio: pairs.ratio.toFixed(1),
      });
    }
    await peer.close();
  }
  await wal.close();
}

/** `count` writers that each append, wait, and append again; takes the time of each append. */
function writers(wal: Wal, count: number, value: Buffer): Load {
  return async (ms) => {
    const latencies: number[] = [];
    const startMs = performance.now();
    const writer = async () => {
      for (let at = performance.now(); at - startMs < ms; ) {
        await wal.append(value);
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    await Promise.all(Array.from({ length: count }, writer));
    const elapsedMs = performance.now() - startMs;
    return { count: latencies.length, elapsedMs, latenciesMs: Float64Array.from(latencies) };
  };
}
