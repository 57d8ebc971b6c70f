/** One thread writes, three read: nothing lost, torn, stale or resurrected. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Region } from '@nendb/pmem';
import { afterEach, describe, expect, it } from 'vitest';
import { DashSpace, DashTable } from '../../src/index.js';
import { dashUrl, isBuilt, PMEM_URL } from '../built.js';
import { random } from '../random.js';

const READERS = 3;
const RUN_MS = 1800;
const PERMANENT_KEYS = 100;
/** Half of them are there at a time, which nearly fills one segment. */
const CROWDED_KEYS = 1230;
const LOST_MIN = 3;
const CONTROL_ROUNDS_MAX = 20;
const STARTED = 0;
const STOP = 1;

type Mode = 'checked' | 'unchecked' | 'hang';

interface Found {
  lost: number;
  torn: number;
  stale: number;
  resurrected: number;
  unscanned: number;
  reads: number;
  scans: number;
  retries: number;
}

const workers: Worker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function start(table: DashTable, mode: Mode, shared: object): Worker {
  const { handle, transfer } = table.share();
  const worker = new Worker(new URL('./reader-thread.mjs', import.meta.url), {
    workerData: {
      urls: {
        dash: dashUrl('index.js'),
        hash: dashUrl('hash.js'),
        format: dashUrl('format.js'),
        pmem: PMEM_URL,
      },
      handle,
      mode,
      permanentKeys: PERMANENT_KEYS,
      ...shared,
    },
    transferList: transfer as never,
    // The tests' own conditions would lead a plain thread to the sources.
    execArgv: [],
  });
  workers.push(worker);
  return worker;
}

async function waitFor(what: () => boolean): Promise<void> {
  for (let i = 0; i < 4000; i++) {
    if (what()) return;
    await pause(5);
  }
  throw new Error('expected it to happen within 20 s');
}

/** Sets and removes keys under the readers' eyes, until `done` says so. */
async function race(mode: Mode, keyCount: number, runMs: number): Promise<Found> {
  const region = Region.heap(64 * 1024 * 1024);
  const table = DashTable.open(region, { chunkBytes: 65_536, seed: [1, 2] });
  const keys = Array.from({ length: keyCount }, (_, i) => new Uint8Array(Buffer.from(`key ${i}`)));
  const states = new Int32Array(new SharedArrayBuffer(keyCount * 4));
  const control = new Int32Array(new SharedArrayBuffer(8));
  const value = Buffer.alloc(2000);
  const next = random(7);
  const change = (number: number) => {
    const sequence = (states[number] >>> 2) + 1;
    const remove = number >= PERMANENT_KEYS && next(2) === 0;
    Atomics.store(states, number, (sequence << 2) | 2);
    if (remove) table.delete(keys[number]);
    else {
      const length = 8 + next(next(50) === 0 ? 1900 : 100);
      value.writeUint32BE(sequence, 0);
      value.writeUint32BE(number, 4);
      value.fill(sequence * 31 + number, 8, length);
      table.put(keys[number], 0, keys[number].length, value, 0, length, 0, 0);
    }
    Atomics.store(states, number, (sequence << 2) | (remove ? 0 : 1));
  };
  for (let number = 0; number < keyCount; number++) change(number);
  const shared = { keys, states, control };
  const threads = Array.from({ length: READERS }, () => start(table, mode, shared));
  const results = threads.map(async (thread) => (await once(thread, 'message'))[0] as Found);
  await waitFor(() => Atomics.load(control, STARTED) === READERS);
  const endMs = performance.now() + runMs;
  while (performance.now() < endMs) {
    for (let i = 0; i < 2000; i++) change(next(keyCount));
    await pause(0);
  }
  Atomics.store(control, STOP, 1);
  const found = await Promise.all(results);
  expect(table.verify().problems).toEqual([]);
  const sum = (of: (one: Found) => number) => found.reduce((total, one) => total + of(one), 0);
  return {
    lost: sum((one) => one.lost),
    torn: sum((one) => one.torn),
    stale: sum((one) => one.stale),
    resurrected: sum((one) => one.resurrected),
    unscanned: sum((one) => one.unscanned),
    reads: sum((one) => one.reads),
    scans: sum((one) => one.scans),
    retries: sum((one) => one.retries),
  };
}

describe.skipIf(!isBuilt)('one writer and three readers in threads of their own', () => {
  it('find what is there, whole, and nothing that was removed', async () => {
    const found = await race('checked', 20_000, RUN_MS);
    console.log(`${found.reads} reads, ${found.scans} scans, ${found.retries} repeated`);
    expect(found).toMatchObject({ lost: 0, torn: 0, stale: 0, resurrected: 0, unscanned: 0 });
    expect(found.reads).toBeGreaterThan(10_000);
    expect(found.scans).toBeGreaterThan(0);
  }, 60_000);

  it('find what is there in a crowded segment, where entries move all the time', async () => {
    const found = await race('checked', CROWDED_KEYS, RUN_MS);
    expect(found).toMatchObject({ lost: 0, torn: 0, stale: 0, resurrected: 0, unscanned: 0 });
  }, 60_000);

  it('lose entries there without the check of versions', async () => {
    let lost = 0;
    let reads = 0;
    // How much is written beside a read is for the scheduler to say: a busy machine takes longer.
    for (let round = 0; lost < LOST_MIN && round < CONTROL_ROUNDS_MAX; round++) {
      const found = await race('unchecked', CROWDED_KEYS, RUN_MS);
      lost += found.lost;
      reads += found.reads;
    }
    console.log(`without the check: ${lost} of ${reads} lost`);
    expect(lost).toBeGreaterThanOrEqual(LOST_MIN);
  }, 120_000);

  it('hold nothing back when they are killed inside a guard', async () => {
    const region = Region.heap(64 * 1024 * 1024);
    const space = DashSpace.of(region, { chunkBytes: 65_536 });
    const table = DashTable.open(region);
    const control = new Int32Array(new SharedArrayBuffer(8));
    const shared = { keys: [], states: new Int32Array(0), control };
    const worker = start(table, 'hang', shared);
    await waitFor(() => Atomics.load(control, STARTED) === 1);
    const overwrite = () => {
      for (let i = 0; i < 30_000; i++) table.set(Buffer.from(`${i % 500}`), Buffer.alloc(200, i));
    };
    overwrite();
    expect(space.stats.retiredBytes).toBeGreaterThan(1_000_000);
    await worker.terminate();
    await waitFor(() => {
      space.maintain(1000);
      return space.stats.retiredBytes === 0;
    });
    overwrite();
    expect(space.stats.retiredBytes).toBeLessThan(500_000);
    expect(table.verify().problems).toEqual([]);
  }, 60_000);
});
