/**
 * The real file system, made to fail below Node: system calls of a process that appends return errors,
 * or kill it. Whatever it was told is there afterwards, and nothing that it did not send.
 *
 * Needs `strace` and leave to trace a child; where either is missing these tests say that they skip.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal } from '@nendb/wal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt, WAL_URL } from './built.js';

const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;

/** Appends until it is told not to; says on stdout what was acknowledged, and how it ended. */
const PROGRAM = `
import { writeSync } from 'node:fs';
import { Wal } from '${WAL_URL}';
const say = (text) => writeSync(1, text + '\\n');
const options = { dir: process.argv[2], segmentBytesMax: 8192, preallocateBytes: 2048, lock: false };
let wal;
try {
  ({ wal } = await Wal.open(options));
} catch (error) {
  say('open ' + (error.code ?? error.message));
  process.exit(0);
}
say('opened');
let failed;
for (let n = 1; n <= 40 && !failed; n++) {
  const payload = 'record ' + n + ' '.repeat(n % 5 === 0 ? 1500 : 50);
  try {
    const { lsn } = n % 3 === 0 ? wal.appendSync(Buffer.from(payload)) : await wal.append(Buffer.from(payload));
    say('acked ' + lsn);
  } catch (error) {
    failed = error;
    say('failed ' + error.code);
  }
}
const after = await wal.append(Buffer.from('after')).then(() => 'acked', (error) => error.code);
say('after ' + after);
await wal.close().catch((error) => say('close ' + error.code));
`;

interface Run {
  acked: number;
  said: string[];
  signal: NodeJS.Signals | null;
}

let root = '';
let program = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nendb-wal-strace-'));
  program = join(root, 'program.mjs');
  writeFileSync(program, PROGRAM);
});

afterAll(() => rmSync(root, { recursive: true }));

/** Runs the program on a log in \`dir\` while strace injects \`fault\` into its system calls. */
function runWith(dir: string, fault: string): Promise<Run> {
  const calls = fault.split(':')[0];
  const flags = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`];
  // Faults are counted by thread: one worker makes the count the log's own.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' };
  const args = [...flags, '-e', `inject=${fault}`, process.execPath, program, dir];
  return new Promise((resolve, reject) => {
    const child = spawn('strace', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      const said = text.split('\n').filter((line) => line !== '');
      const acks = said.filter((line) => line.startsWith('acked '));
      resolve({ acked: Number(acks.at(-1)?.split(' ')[1] ?? 0), said, signal });
    });
  });
}

/** Opens the log as it was left; the records must be what was sent, and all that was acknowledged. */
async function checkLeft(dir: string, { acked }: Run): Promise<void> {
  const judged = await Wal.verify(dir);
  expect(['clean', 'torn', 'missing']).toContain(judged.verdict);
  const { wal, recovery } = await Wal.open({ dir });
  expect(recovery.verdict).toBe(judged.verdict === 'missing' ? 'clean' : judged.verdict);
  let count = 0;
  for await (const { lsn, payload } of wal.read()) {
    count++;
    expect(lsn).toBe(count);
    expect(Buffer.from(payload).toString().trim()).toBe(`record ${count}`);
  }
  expect(count).toBeGreaterThanOrEqual(acked);
  expect(count).toBeLessThanOrEqual(acked + 1);
  expect((await wal.append(Buffer.from('goes on'))).lsn).toBe(count + 1);
  await wal.close();
  expect(await Wal.verify(dir)).toMatchObject({ verdict: 'clean', findings: [] });
}

describe.skipIf(!canTrace || !isBuilt)('R10: on the real file system', () => {
  test.each([
    ['a sync that fails', 'fdatasync:error=EIO:when=9'],
    ['a sync at a rotation that fails', 'fsync:error=EIO:when=7'],
    ['a write that fails', 'pwrite64:error=EIO:when=20'],
    ['a disk that is full', 'pwrite64:error=ENOSPC:when=12+'],
  ])('%s ends the log, and loses nothing (%s)', async (_what, fault) => {
    const dir = mkdtempSync(join(root, 'log'));
    const run = await runWith(dir, fault);
    expect(run.signal).toBeNull();
    expect(run.said[0]).toBe('opened');
    const failure = run.said.find((line) => line.startsWith('failed '));
    expect(failure).toMatch(/^failed WAL_(OUTCOME_UNKNOWN|POISONED|FULL)$/);
    if (failure !== 'failed WAL_FULL') expect(run.said).toContain('after WAL_POISONED');
    await checkLeft(dir, run);
  });

  test.each([
    'fdatasync:signal=SIGKILL:when=1',
    'fdatasync:signal=SIGKILL:when=12',
    'pwrite64:signal=SIGKILL:when=3',
    'pwrite64:signal=SIGKILL:when=25',
    'rename:signal=SIGKILL:when=2',
    'fsync:signal=SIGKILL:when=5',
  ])('a process that is killed leaves all that it acknowledged (%s)', async (fault) => {
    const dir = mkdtempSync(join(root, 'log'));
    const run = await runWith(dir, fault);
    expect(run.signal).toBe('SIGKILL');
    await checkLeft(dir, run);
  });

  test('an opening that cannot sync changes nothing that counts', async () => {
    const dir = mkdtempSync(join(root, 'log'));
    const run = await runWith(dir, 'fsync:error=EIO:when=1');
    expect(run.said).toEqual(['open EIO']);
    await checkLeft(dir, run);
  });
});
