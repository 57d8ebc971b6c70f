/** Readers in other threads: nothing is freed under them, and their death holds nothing back. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Epochs, Region } from '@nendb/pmem';
import { afterEach, describe, expect, test } from 'vitest';
import { isBuilt, PMEM_URL } from '../built.js';

const BLOCKS = 16;
const WORDS = 64;
const BYTES = WORDS * 4;
const READERS = 2;
const RUN_MS = 400;
const GARBAGE_MAX = 1000;
const REGION_BYTES = 1024 * 1024;
const STARTED = 0;
const STOP = 1;

type Mode = 'guarded' | 'unguarded' | 'hang' | 'throw';

const workers: Worker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function start(region: Region, epochs: Epochs, control: Int32Array, mode: Mode): Worker {
  const { handle, transfer } = epochs.share();
  const worker = new Worker(new URL('./reader-thread.mjs', import.meta.url), {
    workerData: {
      pmemUrl: PMEM_URL,
      region: region.share().handle,
      epochs: handle,
      control,
      mode,
      words: WORDS,
    },
    transferList: transfer as never,
    // The tests' own conditions would lead a plain thread to the sources.
    execArgv: [],
  });
  workers.push(worker);
  return worker;
}

async function waitFor(what: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (what()) return;
    await pause(5);
  }
  throw new Error('expected it to happen within 10 s');
}

/** Replaces blocks under the readers' eyes; freed blocks are trampled on at once. */
async function race(mode: 'guarded' | 'unguarded', region = Region.heap(REGION_BYTES)) {
  const epochs = Epochs.create(region);
  const [{ i32 }] = region.windows;
  const table = region.alloc(BLOCKS * 4, { into: region.rootWord(0) });
  const owned = Array.from({ length: BLOCKS }, (_, slot) =>
    region.alloc(BYTES, { into: table + slot * 4 }),
  );
  const control = new Int32Array(new SharedArrayBuffer(12));
  const threads = Array.from({ length: READERS }, () => start(region, epochs, control, mode));
  const results = threads.map(async (thread) => (await once(thread, 'message'))[0]);
  await waitFor(() => Atomics.load(control, STARTED) === READERS);
  let stamp = 0;
  let replaced = 0;
  const endMs = performance.now() + RUN_MS;
  const put = (slot: number) => {
    const offset = region.alloc(BYTES);
    i32.fill(++stamp, offset / 4, (offset + BYTES) / 4);
    const before = owned[slot];
    region.publish(offset, table + slot * 4, { withdraws: before });
    owned[slot] = offset;
    const free = () => {
      i32.fill(-1, before / 4, (before + BYTES) / 4);
      region.free(before, BYTES);
    };
    if (mode === 'guarded') epochs.defer(free, BYTES);
    else free();
    epochs.reclaim(8);
    replaced++;
  };
  while (performance.now() < endMs) {
    // A reader that sleeps inside its guard holds back what is retired meanwhile.
    for (let i = 0; i < 200 && epochs.stats.retiredBlocks < GARBAGE_MAX; i++) put(i % BLOCKS);
    epochs.reclaim();
    await pause(0);
  }
  Atomics.store(control, STOP, 1);
  const found = await Promise.all(results);
  while (epochs.reclaim() > 0);
  expect(region.verify().problems).toEqual([]);
  expect(region.stats.blocks).toBe(BLOCKS + 1);
  const sum = (of: 'reads' | 'wrong') => found.reduce((total, result) => total + result[of], 0);
  return { reads: sum('reads'), wrong: sum('wrong'), replaced };
}

describe.skipIf(!isBuilt)('one writer and two readers', () => {
  test('under guards, no reader sees a block that was freed', async () => {
    const { reads, wrong, replaced } = await race('guarded');
    expect(reads).toBeGreaterThan(1000);
    expect(replaced).toBeGreaterThan(500);
    expect(wrong).toBe(0);
  });

  test('the same in a mapped file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-pmem-threads-'));
    const path = join(dir, 'region');
    const region = await Region.open({ backend: 'mmap', path, bytesMax: REGION_BYTES });
    const { reads, wrong } = await race('guarded', region);
    await region.close();
    rmSync(dir, { recursive: true });
    expect(reads).toBeGreaterThan(1000);
    expect(wrong).toBe(0);
  });

  test('the control: without guards they do', async () => {
    const { wrong } = await race('unguarded');
    expect(wrong).toBeGreaterThan(0);
  });
});

describe.skipIf(!isBuilt)('a reader that dies inside a guard holds nothing back', () => {
  test.each([
    ['killed in a loop', 'hang'],
    ['with an error', 'throw'],
  ] as const)('%s', async (_how, mode) => {
    const region = Region.heap(REGION_BYTES);
    const epochs = Epochs.create(region);
    const control = new Int32Array(new SharedArrayBuffer(12));
    const worker = start(region, epochs, control, mode);
    const died = new Promise((resolve) => worker.once('exit', resolve));
    worker.on('error', () => undefined);
    if (mode === 'hang') {
      await waitFor(() => Atomics.load(control, STARTED) === 1);
      expect(epochs.stats).toMatchObject({ readers: 1, activeReaders: 1 });
    }
    const offset = region.alloc(BYTES);
    epochs.retire(offset, BYTES);
    if (mode === 'hang') {
      expect(epochs.reclaim()).toBe(0);
      await pause(20);
      expect(epochs.reclaim()).toBe(0);
      await worker.terminate();
    }
    await died;
    await waitFor(() => epochs.stats.readers === 0);
    expect(epochs.reclaim()).toBe(1);
    expect(region.stats.blocks).toBe(0);
  });

  test('also where it never attached', async () => {
    const region = Region.heap(REGION_BYTES);
    const epochs = Epochs.create(region);
    const { handle } = epochs.share();
    (handle as { port: { close(): void } }).port.close();
    epochs.retire(region.alloc(BYTES), BYTES);
    expect(epochs.reclaim()).toBe(1);
  });
});
