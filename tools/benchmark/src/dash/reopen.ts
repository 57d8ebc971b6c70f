/** A mapped table whose process was killed: how soon the first operation is done. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DashTable } from '@nendb/dash-hash';
import { Region } from '@nendb/pmem';
import { milliseconds, type Row } from '../table.js';
import { makeKey, VALUE_BYTES } from './keys.js';

const COUNT = 20_000_000;
const BYTES_MAX = 4.5 * 2 ** 30;
const MEMORY_DIR = '/dev/shm';

export async function reopen(_dir: string, report: (row: Row) => void): Promise<void> {
  const dir = mkdtempSync(join(MEMORY_DIR, 'nendb-bench-'));
  try {
    const path = join(dir, 'region');
    const program = fileURLToPath(new URL('./killed.js', import.meta.url));
    const args = [program, path, `${BYTES_MAX}`, `${COUNT}`];
    const { signal, stderr } = spawnSync(process.execPath, args);
    if (signal !== 'SIGKILL') throw new Error(`expected it to kill itself: ${stderr}`);
    const target = Buffer.alloc(VALUE_BYTES);
    const beganMs = performance.now();
    const region = await Region.open({ backend: 'mmap', path, create: false });
    const openMs = performance.now() - beganMs;
    const table = DashTable.open(region);
    const found = table.getInto(makeKey(COUNT >>> 1, 1), target, 0);
    const elapsedMs = performance.now() - beganMs;
    if (found !== VALUE_BYTES) throw new Error('expected the entry to be there');
    table.recover();
    const recoverMs = performance.now() - beganMs - elapsedMs;
    report({
      name: 'first operation after kill -9, mapped, 20 M entries',
      goal: '< 50 ms',
      measured: milliseconds(elapsedMs),
      reference: `${milliseconds(openMs)} of it opening the region`,
      ratio: '',
      met: elapsedMs < 50,
    });
    report({
      name: 'repair of everything, if somebody asks for it',
      goal: '',
      measured: milliseconds(recoverMs),
      reference: `${table.size} entries`,
      ratio: '',
    });
    await region.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
}
