/** Processes that write into one mapped table after the other, and are killed; what they leave. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Region } from '@nendb/pmem';
import { DashSpace, DashTable } from '../../src/index.js';
import { dashUrl, PMEM_URL } from '../built.js';

const PROGRAM = fileURLToPath(new URL('./writing-process.mjs', import.meta.url));
export const REGION_BYTES = 64 * 1024 * 1024;
const GROUP = 40;
const GROUPS = 700;
const READY_MS_MAX = 20_000;

/** Runs the process on the region in `path`, kills it `afterMs` after its first step; its last word. */
export async function killOne(path: string, first: number, afterMs: number): Promise<number> {
  const args = [PROGRAM, dashUrl('index.js'), PMEM_URL, path, `${REGION_BYTES}`, `${first}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const closed = once(child, 'close');
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    text = (text + chunk).slice(-200);
  });
  await Promise.race([once(child.stdout, 'data'), closed, expire(READY_MS_MAX)]);
  await expire(afterMs);
  child.kill('SIGKILL');
  await closed;
  const whole = text.slice(0, text.lastIndexOf('\n'));
  return Number(whole.slice(whole.lastIndexOf('\n') + 1));
}

/** What is wrong with the table after `said` was said; reads go before any repair of the whole. */
export async function wrongAfter(path: string, said: number): Promise<string | undefined> {
  const region = await Region.open({ backend: 'mmap', path, create: false });
  try {
    const table = DashTable.open(region);
    if (!table.recovering) return 'it does not know of a crash';
    for (let step = said; step > Math.max(0, said - GROUPS + 2); step--) {
      for (let i = 0; i < GROUP; i++) {
        const value = table.get(Buffer.from(`${step % GROUPS}:${i}`));
        const text = value === undefined ? undefined : Buffer.from(value).toString();
        const expected = step % 11 === 5 ? undefined : `${step} `.repeat(1 + (i % 30));
        if (text !== expected) return `${step}:${i} is ${text?.slice(0, 20)}`;
      }
    }
    const { problems } = table.verify();
    if (problems.length > 0) return problems.join('; ');
    return DashSpace.of(region).verify().problems.at(0);
  } finally {
    await region.close();
  }
}

function expire(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
