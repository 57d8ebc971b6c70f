/**
 * A log on the simulated machine, and an oracle beside it: what was sent, what was promised when.
 *
 * Payloads name themselves, so that a record that is lost, doubled or out of place cannot pass.
 */

import { type SimImage, SimVfs } from '@nendb/vfs/sim';
import { type Position, Wal, type WalOptions, type WalRecovery } from '@nendb/wal';
import { expect } from 'vitest';

export const DIR = '/log';

/** What one machine was told and has promised. LSN n is at index n - 1. */
export class Oracle {
  payloads: string[] = [];
  /** Last LSN of each unit: a recovered log ends at one of them, or at 0. */
  readonly unitEnds = new Set<number>([0]);
  /** (changes of the disk so far, LSN) of each promise, by what it survives. */
  readonly durable: { at: number; lsn: number }[] = [];
  readonly synced: { at: number; lsn: number }[] = [];
  /** (changes, LSN) from which on the log may begin there. */
  readonly cuts: { at: number; lsn: number }[] = [];
  epoch = 0;
  mark = 'a';

  /** A payload of about `bytes` for the next record, which is noted as sent. */
  send(bytes: number): Buffer {
    const lsn = this.payloads.length + 1;
    const text = `${lsn}${this.mark}|`.padEnd(bytes, `${lsn % 10}`);
    this.payloads.push(text);
    return Buffer.from(text);
  }

  /** What has an LSN now, since the last call, was a unit; what has none was refused. */
  sent(wal: Wal): void {
    this.payloads.length = wal.lastLsn;
    this.unitEnds.add(wal.lastLsn);
  }

  static promised(marks: readonly { at: number; lsn: number }[], at: number): number {
    return marks.reduce((best, mark) => (mark.at <= at ? Math.max(best, mark.lsn) : best), 0);
  }
}

/** Small segments, and syncs in the pool: others can come while one runs. */
export const SMALL: Omit<WalOptions, 'dir'> = {
  segmentBytesMax: 4096,
  preallocateBytes: 1024,
  inlineSyncMsMax: 0,
};

export async function openSim(
  sim: SimVfs,
  options: Partial<WalOptions> = {},
): Promise<{ wal: Wal; recovery: WalRecovery }> {
  return Wal.open({ dir: DIR, vfs: sim, ...SMALL, ...options });
}

/** Notes promises as they are made: what a listener hears is what may have left the process. */
export function watch(sim: SimVfs, wal: Wal, oracle: Oracle): void {
  oracle.epoch = wal.epoch;
  wal.onDurable((lsn) => oracle.durable.push({ at: sim.changeCount, lsn }));
}

export function append(wal: Wal, oracle: Oracle, bytes: number): Promise<Position> {
  const position = wal.append(oracle.send(bytes));
  oracle.sent(wal);
  return position;
}

export function appendBatch(wal: Wal, oracle: Oracle, sizes: number[]): Promise<Position> {
  const position = wal.appendBatch(sizes.map((bytes) => oracle.send(bytes)));
  oracle.sent(wal);
  return position;
}

export function appendSync(wal: Wal, oracle: Oracle, bytes: number): Position {
  const payload = oracle.send(bytes);
  try {
    return wal.appendSync(payload);
  } finally {
    oracle.sent(wal);
  }
}

export async function sync(sim: SimVfs, wal: Wal, oracle: Oracle): Promise<void> {
  await wal.sync();
  oracle.synced.push({ at: sim.changeCount, lsn: wal.syncedLsn });
}

/** All records of `wal`, as (LSN, text). */
export async function contents(wal: Wal): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const { lsn, payload } of wal.read()) {
    found.push([lsn, Buffer.from(payload).toString()]);
  }
  return found;
}

/** The same by the other way in: `replay` must agree with `read`. */
export async function replayed(wal: Wal): Promise<[number, string][]> {
  const found: [number, string][] = [];
  await wal.replay(wal.firstLsn, (lsn, bytes, from, to) => {
    found.push([lsn, Buffer.from(bytes.subarray(from, to)).toString()]);
  });
  return found;
}

/** Checks an opened log against what its last life was told and promised before change `at`. */
export async function verify(
  wal: Wal,
  recovery: WalRecovery,
  oracle: Oracle,
  at: number,
  promises: readonly { at: number; lsn: number }[],
): Promise<void> {
  const floor = Oracle.promised(promises, at);
  expect(recovery.lastLsn, 'an acknowledged record is lost').toBeGreaterThanOrEqual(floor);
  expect(oracle.unitEnds.has(recovery.lastLsn), `LSN ${recovery.lastLsn} ends no unit`).toBe(true);
  expect(recovery.firstLsn, 'more was cut than asked').toBeLessThanOrEqual(
    Math.max(1, Oracle.promised(oracle.cuts, at)),
  );
  const expected = oracle.payloads
    .slice(0, recovery.lastLsn)
    .map((text, i): [number, string] => [i + 1, text])
    .slice(recovery.firstLsn - 1);
  const found = await replayed(wal);
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    if (found[i][0] !== expected[i][0] || found[i][1] !== expected[i][1]) {
      expect(found[i]).toEqual(expected[i]);
    }
  }
}

/** Boots a machine on `image`, opens the log there and hands both to `use`; nothing may leak. */
export async function reboot(
  image: SimImage,
  options: Partial<WalOptions>,
  use: (sim: SimVfs, wal: Wal, recovery: WalRecovery) => Promise<void>,
  record = false,
): Promise<SimVfs> {
  const sim = SimVfs.fromImage(image, { seed: 7, record });
  try {
    await sim.run(async () => {
      const { wal, recovery } = await openSim(sim, options);
      await use(sim, wal, recovery);
      await wal.close();
    });
    sim.assertClean();
  } catch (error) {
    throw new Error(`${image.label}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return sim;
}
