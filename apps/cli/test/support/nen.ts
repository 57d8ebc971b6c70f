/** `nen` in this process with buffers for streams, and as the process that people start. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '@nendb/cli';
import { onTestFinished } from 'vitest';

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Setting {
  env?: Record<string, string>;
  cwd?: string;
}

/** One call of `nen` in this process. */
export async function nen(argv: readonly string[], setting: Setting = {}): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const code = await run(argv, {
    stdout: {
      write: (data) => {
        stdout += Buffer.from(data).toString('utf8');
      },
      isTty: false,
    },
    stderr: {
      write: (data) => {
        stderr += Buffer.from(data).toString('utf8');
      },
      isTty: false,
    },
    env: setting.env ?? {},
    cwd: setting.cwd ?? '/nonexistent',
  });
  return { code, stdout, stderr };
}

export const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const MAIN = join(REPOSITORY, 'apps/cli/dist/main.js');

/** The built program as a child of this process; killed with the test if it still runs. */
export function startNen(argv: readonly string[], { env, cwd }: Setting = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Waits until `child` has ended; what it printed and its exit code. */
export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** Resolves to the address in the line that a server prints when it is ready. */
export function readyAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const match = /^ready (redis:\/\/\S+)$/m.exec(text);
      if (match !== null) resolve(match[1]);
    });
    child.on('close', (code) => reject(new Error(`expected a ready server, got exit ${code}`)));
  });
}

/** Made now, removed with the test. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'nen-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
