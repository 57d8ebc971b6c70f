import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nodeVfs } from '@nendb/vfs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const MONTH_MS = 30 * 24 * 3_600_000;

describe('timers of the real machine', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('wait longer than the platform can: a month is a month', () => {
    const ran: string[] = [];
    nodeVfs.timers.after(MONTH_MS, () => ran.push('month'));
    vi.advanceTimersByTime(MONTH_MS - 1);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ran).toEqual(['month']);
  });

  test('can be cancelled at any stage', () => {
    const ran: string[] = [];
    const early = nodeVfs.timers.after(MONTH_MS, () => ran.push('early'));
    const late = nodeVfs.timers.after(MONTH_MS, () => ran.push('late'));
    early.cancel();
    vi.advanceTimersByTime(MONTH_MS - 1);
    late.cancel();
    vi.advanceTimersByTime(MONTH_MS);
    expect(ran).toEqual([]);
  });
});

test('background timers and idle tasks do not keep a process alive', async () => {
  const built = new URL('../dist/index.js', import.meta.url).href;
  const task = new URL('../dist/conformance/task.js', import.meta.url).href;
  const script = `
    const { nodeVfs } = await import('${built}');
    nodeVfs.timers.after(3_600_000, () => {}, { background: true });
    const task = await nodeVfs.executor.start(new URL('${task}'), { start: 1 });
    console.log(await task.call('add', { by: 1 }));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    { timeout: 30_000 },
  );
  expect(stdout).toBe('2\n');
});
