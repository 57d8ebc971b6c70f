/** Reading, opening and verifying a log. */
import { lsn } from '@nendb/codec';
import { Wal } from '@nendb/wal';
import { median, rateOf } from '../measure.js';
import { bytesPerSecond, milliseconds, perSecond, type Row } from '../table.js';
import { KB, SMALL } from './records.js';

type Report = (row: Row) => void;

const GIGABYTE = 1e9;
const OPENINGS = 7;

export async function reading(dir: string, report: Report): Promise<void> {
  await readAll(`${dir}/read-small`, SMALL, 2e8, report);
  const path = `${dir}/read-large`;
  await readAll(path, KB, GIGABYTE, report);
  const openMs: number[] = [];
  for (let round = 0; round < OPENINGS; round++) {
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
