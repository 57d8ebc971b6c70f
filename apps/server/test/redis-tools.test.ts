/** The programs that people already have: redis-cli and redis-benchmark. */
import { execFile, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { start } from './test-server.js';

function installed(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

const hasCli = installed('redis-cli');
const hasBenchmark = installed('redis-benchmark');
if (!hasCli || !hasBenchmark) {
  console.warn('redis-cli or redis-benchmark is not installed: their tests are skipped');
}

function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      else resolve(`${stdout}${stderr}`);
    });
    child.stdin?.end(input);
  });
}

describe.skipIf(!hasCli)('redis-cli', () => {
  it.each([[], ['-3']])('runs commands %s', async (...protocol) => {
    const { server } = await start();
    const cli = (...args: string[]) =>
      run('redis-cli', ['-p', `${server.port}`, ...protocol, ...args]);
    expect(await cli('PING')).toBe('PONG\n');
    expect(await cli('SET', 'k', 'v', 'EX', '100')).toBe('OK\n');
    expect(await cli('GET', 'k')).toBe('v\n');
    expect(await cli('INFO', 'server')).toContain('redis_version:7.4.0');
    expect(await cli('-n', '2', 'DBSIZE')).toBe('0\n');
  });

  it('reads a script from its input, and scans', async () => {
    const { server } = await start();
    const script = Array.from({ length: 50 }, (_, i) => `SET key:${i} ${i}`).join('\n');
    expect(await run('redis-cli', ['-p', `${server.port}`], `${script}\n`)).toBe('OK\n'.repeat(50));
    const keys = await run('redis-cli', ['-p', `${server.port}`, '--scan', '--pattern', 'key:*']);
    expect(keys.trimEnd().split('\n')).toHaveLength(50);
  });

  it('loads with --pipe', async () => {
    const { server } = await start();
    const load = Array.from({ length: 2_000 }, (_, i) => {
      const key = `p${i}`;
      return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$1\r\nv\r\n`;
    }).join('');
    const output = await run('redis-cli', ['-p', `${server.port}`, '--pipe'], load);
    expect(output).toContain('errors: 0, replies: 2000');
  });
});

describe.skipIf(!hasBenchmark)('redis-benchmark', () => {
  it('runs set, get, incr, hset, mset and ping, with and without pipelining', async () => {
    const { server } = await start();
    for (const pipeline of ['1', '16']) {
      const output = await run('redis-benchmark', [
        ...['-p', `${server.port}`, '-t', 'set,get,incr,hset,mset,ping'],
        ...['-n', '2000', '-c', '20', '-P', pipeline, '--csv'],
      ]);
      for (const name of ['SET', 'GET', 'INCR', 'HSET', 'MSET (10 keys)', 'PING_INLINE']) {
        expect(output).toContain(`"${name}"`);
      }
      expect(output).not.toMatch(/error/i);
    }
  });
});
