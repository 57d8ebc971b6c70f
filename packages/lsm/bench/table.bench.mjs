/**
 * One table alone: what writing an entry, finding one, missing one and walking over one costs.
 *
 *     node packages/lsm/bench/table.bench.mjs        (after a build)
 *
 * 200,000 keys of 16 digits, values of 100 bytes; ns of processor time for each entry, the best of three.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeVfs } from '@nendb/vfs';
import { BlockCache } from '../dist/cache/block-cache.js';
import { MemoryBudget } from '../dist/cache/memory-budget.js';
import { TableBuilder } from '../dist/table/table-builder.js';
import { TableReader } from '../dist/table/table-reader.js';

const COUNT = 200_000;
const ROUNDS = 3;
const DATABASE = new Uint8Array(16).fill(1);
const key = new Uint8Array(16);
const value = new Uint8Array(100);
const entry = {
  keyBytes: key,
  keyFrom: 0,
  keyTo: 16,
  sequence: 0,
  kind: 1,
  expireAtMs: 0,
  valueBytes: value,
  valueFrom: 0,
  valueTo: 100,
};

function keyOf(number) {
  let rest = number;
  for (let i = 15; i >= 0; i--) {
    key[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

function nsEach(count, run) {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / count;
}

const dir = mkdtempSync(join(tmpdir(), 'nendb-table-bench-'));
const order = Uint32Array.from({ length: COUNT }, (_, i) => i);
let x = 0x9e3779b9;
for (let i = COUNT - 1; i > 0; i--) {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  const j = (x >>> 0) % (i + 1);
  [order[i], order[j]] = [order[j], order[i]];
}
const best = {};
const note = (name, ns) => {
  best[name] = Math.min(best[name] ?? Infinity, ns);
};
const keys = { active: { id: 1, key: new Uint8Array(32) }, key: () => new Uint8Array(32) };

try {
  for (let round = 0; round < ROUNDS; round++) {
    const path = join(dir, `${round}.table`);
    const secretPath = join(dir, `${round}.secret`);
    for (const [name, target, options] of [
      ['build', path, {}],
      ['build encrypted', secretPath, { keys }],
    ]) {
      note(
        name,
        nsEach(COUNT, () => {
          const builder = new TableBuilder(nodeVfs, target, {
            databaseUuid: DATABASE,
            createdMs: 1,
            syncStepBytes: 0,
            ...options,
          });
          for (let i = 0; i < COUNT; i++) {
            keyOf(i * 2);
            for (let b = 0; b < 100; b += 4) value[b] = (i * 7 + b) & 255;
            entry.sequence = COUNT - i;
            builder.add(entry);
          }
          builder.finish();
        }),
      );
    }
    for (const [mode, cacheBytes, target] of [
      ['cached', 256 << 20, path],
      ['half cached', 16 << 20, path],
      ['cold', 64 << 10, path],
      ['cold encrypted', 64 << 10, secretPath],
    ]) {
      const budget = new MemoryBudget(cacheBytes);
      const table = TableReader.open(nodeVfs.openSync(target, 'read'), {
        databaseUuid: DATABASE,
        cache: new BlockCache(budget),
        account: budget.account('tables'),
        keys,
      });
      const get = () => {
        for (let i = 0; i < COUNT; i++) {
          keyOf(order[i] * 2);
          if (!table.mayContain(key, 0, 16) || !table.get(key, 0, 16, COUNT, entry)) {
            throw new Error(`expected key ${order[i] * 2}`);
          }
        }
      };
      if (mode === 'cached') get();
      note(`get ${mode}`, nsEach(COUNT, get));
      if (mode === 'cached') {
        note(
          'get missing',
          nsEach(COUNT, () => {
            for (let i = 0; i < COUNT; i++) {
              keyOf(order[i] * 2 + 1);
              if (table.mayContain(key, 0, 16) && table.get(key, 0, 16, COUNT, entry)) throw key;
            }
          }),
        );
      }
      for (const fillCache of mode === 'cached' ? [true] : [false]) {
        const cursor = table.cursor({ fillCache });
        note(
          `walk ${mode}`,
          nsEach(COUNT, () => {
            let seen = 0;
            for (cursor.seekToFirst(); cursor.valid; cursor.next()) seen++;
            if (seen !== COUNT) throw new Error(`expected ${COUNT} entries, got ${seen}`);
          }),
        );
        cursor.close();
      }
      if (round === ROUNDS - 1) best[`bytes ${mode}`] = budget.usedBytes / COUNT;
      table.closeSync();
      entry.keyBytes = key;
      entry.keyFrom = 0;
      entry.keyTo = 16;
      entry.valueBytes = value;
      entry.valueFrom = 0;
      entry.valueTo = 100;
    }
  }
} finally {
  rmSync(dir, { recursive: true });
}
for (const [name, ns] of Object.entries(best)) console.log(`${name.padEnd(20)} ${ns.toFixed(0)}`);
