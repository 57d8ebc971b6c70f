/** Memory: what an entry takes, how full the table is while it grows, what a large one does to the heap. */
import { execFileSync } from 'node:child_process';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DashTable } from '@nendb/dash-hash';
import { Region } from '@nendb/pmem';
import { median } from '../measure.js';
import { milliseconds, perSecond, type Row } from '../table.js';
import { KEY_BYTES, scattered, VALUE_BYTES } from './keys.js';
import { dash } from './stores.js';

const COUNT = 1_000_000;
const LARGE_COUNT = 20_000_000;
const GiB = 2 ** 30;

type Report = (row: Row) => void;

/** Resident memory per entry, each side in a process of its own. */
export async function memory(_dir: string, report: Report): Promise<void> {
  const ours = residentBytes('dash');
  for (const [kind, values] of [
    ['map-alone', 'each value in memory of its own'],
    ['map', "values in Node's shared pool"],
  ]) {
    const theirs = residentBytes(kind);
    const ratio = ours.bytes / theirs.bytes;
    report({
      name: `resident memory an entry, ${values}`,
      goal: '<= 0.35 of Map',
      measured: `${ours.bytes.toFixed(0)} B (${ours.collected.toFixed(0)} collected)`,
      reference: `${theirs.bytes.toFixed(0)} B (${theirs.collected.toFixed(0)} collected)`,
      ratio: ratio.toFixed(2),
      met: ratio <= 0.35,
    });
  }
  const { table } = dash();
  const at: number[] = [];
  const overheads = growing(table, 2 * COUNT, (entries, recordBytes, tableBytes) => {
    const overhead = (recordBytes + tableBytes) / entries - KEY_BYTES - VALUE_BYTES;
    if (entries === COUNT) at.push(overhead);
    return overhead;
  });
  const mean = overheads.reduce((sum, each) => sum + each, 0) / overheads.length;
  report({
    name: 'overhead an entry, at 1 M',
    goal: '<= 24 B',
    measured: `${at[0].toFixed(1)} B`,
    reference: `${mean.toFixed(1)} B on average from 0.1 to 2 M`,
    ratio: '',
    met: at[0] <= 24,
  });
}

/** Entries to a slot: before a segment splits, and on average while a table grows thirty-fold. */
export async function load(_dir: string, report: Report): Promise<void> {
  const region = Region.heap(GiB);
  const before: number[] = [];
  for (let round = 0; round < 60; round++) {
    const table = DashTable.at(region, DashTable.create(region));
    let full = 0;
    const key = Buffer.alloc(8);
    for (let i = 0; table.stats.segments === 1; i++) {
      full = table.stats.loadFactor;
      key.writeUInt32LE(i, 0);
      table.set(key, key);
    }
    before.push(full);
    while (!table.free(1000));
  }
  const atSplit = median(before);
  report({
    name: 'load factor before a split',
    goal: '>= 0.97',
    measured: atSplit.toFixed(3),
    reference: `${Math.min(...before).toFixed(3)} to ${Math.max(...before).toFixed(3)}`,
    ratio: '',
    met: atSplit >= 0.97,
  });
  const loads = growing(dash(2 * GiB).table, 3_200_000, (_entries, _records, _table, at) => at);
  const mean = loads.reduce((sum, each) => sum + each, 0) / loads.length;
  report({
    name: 'load factor on average while growing',
    goal: '>= 0.78',
    measured: mean.toFixed(3),
    reference: `${Math.min(...loads).toFixed(3)} to ${Math.max(...loads).toFixed(3)}`,
    ratio: '',
    met: mean >= 0.78,
  });
}

/** 20 M entries: speed, what the collector sees of them, and its longest pause. */
export async function large(_dir: string, report: Report): Promise<void> {
  const pauses: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ['gc'] });
  const store = dash(6 * GiB);
  const heapBefore = process.memoryUsage().heapUsed;
  const putMs = timed(() => {
    for (let i = 0; i < LARGE_COUNT; i++) store.put(i, 1);
  });
  const heapGrown = process.memoryUsage().heapUsed - heapBefore;
  const getMs = timed(() => {
    for (let i = 0; i < LARGE_COUNT; i++) store.get(scattered(i, LARGE_COUNT), 1);
  });
  await setTimeout(10);
  observer.disconnect();
  const longest = Math.max(0, ...pauses);
  report({
    name: 'put / get, 20 M entries',
    goal: '',
    measured: `${perSecond((LARGE_COUNT / putMs) * 1000)} / ${perSecond((LARGE_COUNT / getMs) * 1000)}`,
    reference: 'a Map ends at 16.7 M',
    ratio: '',
  });
  report({
    name: 'heap growth, 20 M entries',
    goal: 'none (< 1 B an entry)',
    measured: `${(heapGrown / 1e6).toFixed(1)} MB`,
    reference: '',
    ratio: '',
    met: heapGrown < LARGE_COUNT,
  });
  report({
    name: 'longest GC pause, 20 M entries',
    goal: '< 10 ms',
    measured: milliseconds(longest),
    reference: `${pauses.length} pauses`,
    ratio: '',
    met: longest < 10,
  });
}

/** Fills a table and samples it each time it has grown by 1 %. */
function growing(
  table: DashTable,
  count: number,
  sample: (entries: number, recordBytes: number, tableBytes: number, load: number) => number,
): number[] {
  const samples: number[] = [];
  const key = Buffer.alloc(KEY_BYTES);
  const value = Buffer.alloc(VALUE_BYTES);
  let next = 100_000;
  for (let i = 1; i <= count; i++) {
    key.writeUInt32LE(i, 0);
    table.put(key, 0, KEY_BYTES, value, 0, VALUE_BYTES, 0, 0);
    if (i < next && i !== COUNT) continue;
    const { entries, recordBytes, tableBytes, loadFactor } = table.stats;
    samples.push(sample(entries, recordBytes, tableBytes, loadFactor));
    if (i >= next) next = Math.ceil(i * 1.01);
  }
  return samples;
}

/** Bytes an entry, as it stands and after a full collection. */
function residentBytes(kind: string): { bytes: number; collected: number } {
  const program = fileURLToPath(new URL('./resident.js', import.meta.url));
  const text = execFileSync(process.execPath, ['--expose-gc', program, kind, `${COUNT}`]);
  const [bytes, collected] = text.toString().split(' ').map(Number);
  return { bytes, collected };
}

function timed(work: () => void): number {
  const beganMs = performance.now();
  work();
  return performance.now() - beganMs;
}
