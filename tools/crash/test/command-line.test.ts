import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const server = fileURLToPath(new URL('small-server.mjs', import.meta.url));

function run(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
}

it('ends with a report and 0 where every promise was kept', () => {
  const { status, stdout, stderr } = run(
    ...['--cycles', '1', '--seed', '5', '--clients', '2', '--writes', '60', '--server', server],
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toBe('seed 5');
  expect(lines[1]).toMatch(
    /^in cycle 1 of 1 \(random, --sync .*: \d+ writes acknowledged, started in \d+ ms, killed after \d+ ms$/,
  );
  const report = JSON.parse(lines[2]);
  expect(report.cycles).toBe(1);
  expect(report.acknowledgedWritesMin).toBeGreaterThanOrEqual(60);
});

it('ends with the line that reproduces a failure and 1', () => {
  const { status, stderr } = run(
    ...['--cycles', '2', '--seed', '5', '--quiet', '--server', server, '--', '--bug', 'quit'],
  );
  expect(status).toBe(1);
  expect(stderr).toContain('expected the server to run until it is killed, it ended with 0');
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(
    `reproduce: node tools/crash/dist/main.js --cycles 2 --seed 5 --server ${server} -- --bug quit`,
  );
  const kept = /data kept in (\S+)/.exec(stderr)?.[1];
  expect(kept).toBeDefined();
  rmSync(dirname(String(kept)), { recursive: true, force: true });
});

it('explains itself, and numbers that are none', () => {
  expect(run('--help').stdout).toContain('--cycles N');
  const { status, stderr } = run('--cycles', 'many');
  expect(status).toBe(1);
  expect(stderr).toContain("--cycles: expected a whole number, got 'many'");
});
