/**
 * A bank on the real disk, killed with kill -9 again and again: money moves between accounts in transactions, and the
 * sum over all accounts is what it was at the beginning, whatever died when. Every transfer that was acknowledged is in
 * the ledger.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Lsm } from '@nendb/lsm';
import { afterAll, describe, expect, it } from 'vitest';
import { bytes, text } from './sim-tree.js';

const BUILT = new URL('../../dist/index.js', import.meta.url);
const PACKAGES = ['codec', 'vfs', 'wal', 'txn-oracle', 'lsm'].map((name) =>
  fileURLToPath(new URL(`../../../${name}/dist/index.js`, import.meta.url)),
);
const isBuilt = PACKAGES.every((file) => existsSync(file));
const ACCOUNTS = 20;
const MONEY = 1000;

/** Moves money until it is killed; says which transfers were acknowledged. */
const PROGRAM = `
import { writeSync } from 'node:fs';
import { Lsm } from '${BUILT.href}';
const [, , dir, seed] = process.argv;
const db = await Lsm.open({ dir, memtableBytes: 8192, tableBytes: 2048, level0RunsCompact: 2,
  logSegmentBytes: 65536, logPreallocateBytes: 65536, valueLog: { thresholdBytes: 64, fileBytes: 4096 } });
const key = (n) => Buffer.from('account' + String(n).padStart(3, '0'));
let dice = Number(seed);
const below = (bound) => (dice = (Math.imul(dice, 1103515245) + 12345) >>> 0) % bound;
async function teller(name) {
  for (let n = 0; ; n++) {
    const [from, to, amount] = [below(${ACCOUNTS}), below(${ACCOUNTS}), below(50)];
    if (from === to) continue;
    const id = seed + '-' + name + '-' + n;
    const moved = await db.transact((t) => {
      const left = Number(Buffer.from(t.get(key(from)))) - amount;
      if (left < 0) return false;
      const more = Number(Buffer.from(t.get(key(to)))) + amount;
      t.put(key(from), Buffer.from(String(left)));
      t.put(key(to), Buffer.from(String(more)));
      t.put(Buffer.from('ledger/' + id), Buffer.from((from + ' ' + to + ' ' + amount).padEnd(80)));
      return true;
    }, { retriesMax: 1000 });
    if (moved) writeSync(1, id + '\\n');
  }
}
writeSync(1, 'ready\\n');
await Promise.all([teller('a'), teller('b'), teller('c')]);
`;

const root = mkdtempSync(join(tmpdir(), 'nendb-lsm-bank-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs the program and kills it once it has made so many transfers; returns what it said. */
function runAndKill(dir: string, seed: number, transfers: number): Promise<string[]> {
  const program = join(root, 'bank.mjs');
  writeFileSync(program, PROGRAM);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, dir, String(seed)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let complained = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.split('\n').length > transfers) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk) => {
      complained += chunk;
    });
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the bank stopped by itself: ${complained}`));
      else resolve(said.split('\n').slice(1, -1));
    });
  });
}

describe.runIf(isBuilt)('a bank that is killed with kill -9', () => {
  it('keeps its sum, and every transfer that it acknowledged', async () => {
    const dir = join(root, 'db');
    const small = { dir, logPreallocateBytes: 65536, logSegmentBytes: 65536, memtableBytes: 8192 };
    const account = (n: number) => bytes(`account${String(n).padStart(3, '0')}`);
    const first = await Lsm.open(small);
    const batch = first.batch();
    for (let n = 0; n < ACCOUNTS; n++) batch.put(account(n), bytes(`${MONEY}`));
    await batch.write({ sync: true });
    await first.close();
    let transfers = 0;
    for (let round = 0; round < 4; round++) {
      const acknowledged = await runAndKill(dir, round + 1, 40 + round * 111);
      const db = await Lsm.open(small);
      let sum = 0;
      for (let n = 0; n < ACCOUNTS; n++) sum += Number(text(db.get(account(n))));
      expect(sum).toBe(ACCOUNTS * MONEY);
      for (const id of acknowledged) {
        expect(text(db.get(bytes(`ledger/${id}`))), id).toMatch(/^\d+ \d+ \d+ +$/);
        transfers++;
      }
      expect(db.health.healthy).toBe(true);
      await db.close();
    }
    expect(transfers).toBeGreaterThan(500);
  }, 60_000);
});
