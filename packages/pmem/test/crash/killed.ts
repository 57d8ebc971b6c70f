/** Processes that allocate in one mapped region after the other, and are killed; what they leave. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Region } from '@nendb/pmem';
import { PMEM_URL } from '../built.js';
import { readState } from './life.js';

const PROGRAM = fileURLToPath(new URL('./allocating-process.mjs', import.meta.url));
const REGION_BYTES = 512 * 1024;
const READY_MS_MAX = 20_000;

/** Runs the process on the region in `path`, kills it `afterMs` after its first step; its last word. */
export async function killOne(path: string, seed: number, afterMs: number): Promise<number> {
  const args = [PROGRAM, PMEM_URL, path, String(REGION_BYTES), String(seed)];
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

/** What is wrong with the region after `published` was said. */
export async function wrongAfter(path: string, published: number): Promise<string | undefined> {
  const region = await Region.open({ backend: 'mmap', path, create: false });
  try {
    const state = readState(region);
    const values = state
      .slice(state.indexOf('|') + 1)
      .trim()
      .split(' ')
      .map(Number);
    if (region.opening.how !== 'recovered') return `it was ${region.opening.how}`;
    if (state.includes('/')) return `a torn block: ${state}`;
    const last = Math.max(...values);
    if (last < published || last > published + 1) return `${last} after ${published} was said`;
    return undefined;
  } finally {
    await region.close();
  }
}

function expire(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
