/** Reading from the middle: the index saves the way there, and is never believed. */
import { SimVfs } from '@nendb/vfs/sim';
import type { Wal } from '@nendb/wal';
import { expect, test } from 'vitest';
import { DIR, openSim } from './sim-log.js';

const OPTIONS = { segmentBytesMax: 2 << 20, preallocateBytes: 64 << 10 };
const FIRST = `${DIR}/0000000000000001.wal`;
const RECORDS = 2600;

/** Fills a log with a sealed segment of almost 2 MiB and a live one. */
async function fill(sim: SimVfs): Promise<void> {
  const { wal } = await openSim(sim, OPTIONS);
  for (let lsn = 1; lsn <= RECORDS; lsn += 20) {
    const batch = Array.from({ length: 20 }, (_, i) => Buffer.from(`${lsn + i}`.padEnd(1000)));
    await Promise.all(batch.map((bytes) => wal.append(bytes)));
  }
  expect(wal.stats.rotations).toBe(1);
  // What was indexed in memory, too.
  expect(await costOf(sim, wal, 1700)).toBeLessThan(READS_MAX);
  expect(await costOf(sim, wal, RECORDS)).toBeLessThan(READS_MAX);
  await wal.close();
}

/** Reads of files that it takes to yield record `lsn`. */
async function costOf(sim: SimVfs, wal: Wal, lsn: number): Promise<number> {
  const before = sim.counts.read;
  let found = 0;
  for await (const { lsn: at, payload } of wal.read({ from: lsn, to: lsn })) {
    found = at;
    expect(Buffer.from(payload).toString().trim()).toBe(`${lsn}`);
  }
  expect(found).toBe(lsn);
  return sim.counts.read - before;
}

/** The trailer, the frame that the index names, the frames from there. */
const READS_MAX = 5;

test('a record in the middle is found without reading what is before it', async () => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    await fill(sim);
    const { wal } = await openSim(sim, OPTIONS);
    expect(await costOf(sim, wal, 1700)).toBeLessThan(READS_MAX);
    await wal.close();
  });
  sim.assertClean();
});

test('an index that was flipped, anywhere, finds the same record', async () => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    await fill(sim);
    const file = await sim.open(FIRST, 'write');
    const size = await file.size();
    for (let at = size - 600; at < size; at += 13) {
      const byte = new Uint8Array(1);
      await file.readAt(byte, at);
      await file.writeAt(new Uint8Array([byte[0] ^ 0x10]), at);
      const { wal } = await openSim(sim, OPTIONS);
      await costOf(sim, wal, 1300);
      await wal.close();
      await file.writeAt(byte, at);
    }
    await file.close();
  });
  sim.assertClean();
});
