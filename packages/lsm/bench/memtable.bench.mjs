/**
 * The memtable alone: what an insertion and a point read cost.
 *
 *     node packages/lsm/bench/memtable.bench.mjs        (after a build)
 *
 * Keys of 16 digits in random order, values of 100 bytes; ns of processor time for each operation, the
 * best of three.
 */
import { Memtable } from '../dist/memtable/memtable.js';

const VALUE = new Uint8Array(100).fill(120);
const ROUNDS = 3;

/** A permutation of 0 to count - 1 (Fisher and Yates, xorshift32). */
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let x = 0x9e3779b9;
  for (let i = count - 1; i > 0; i--) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const j = (x >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function keyOf(number, key) {
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

const key = new Uint8Array(16);
const into = {
  keyBytes: key,
  keyFrom: 0,
  keyTo: 0,
  sequence: 0,
  kind: 0,
  expireAtMs: 0,
  valueBytes: key,
  valueFrom: 0,
  valueTo: 0,
};

for (const [capacityMiB, count] of [
  [16, 110_000],
  [64, 430_000],
]) {
  const order = shuffled(count);
  {
    const best = {
      fill: Infinity,
      ascending: Infinity,
      get: Infinity,
      miss: Infinity,
      walk: Infinity,
    };
    for (let round = 0; round < ROUNDS; round++) {
      const memtable = new Memtable({ capacityBytes: capacityMiB << 20 });
      let sequence = 0;
      best.fill = Math.min(
        best.fill,
        nsEach(count, () => {
          for (let i = 0; i < count; i++) {
            keyOf(order[i], key);
            memtable.add(++sequence, 1, key, 0, 16, VALUE, 0, 100, 0);
          }
        }),
      );
      const ascending = new Memtable({ capacityBytes: capacityMiB << 20 });
      best.ascending = Math.min(
        best.ascending,
        nsEach(count, () => {
          for (let i = 0; i < count; i++) {
            keyOf(i, key);
            ascending.add(i + 1, 1, key, 0, 16, VALUE, 0, 100, 0);
          }
        }),
      );
      let found = 0;
      best.get = Math.min(
        best.get,
        nsEach(count, () => {
          for (let i = 0; i < count; i++) {
            keyOf(order[count - 1 - i], key);
            if (memtable.get(key, 0, 16, Number.MAX_SAFE_INTEGER, into)) found++;
          }
        }),
      );
      best.miss = Math.min(
        best.miss,
        nsEach(count, () => {
          for (let i = 0; i < count; i++) {
            keyOf(order[i], key);
            key[0] = 49;
            if (memtable.get(key, 0, 16, Number.MAX_SAFE_INTEGER, into)) found++;
          }
        }),
      );
      const cursor = memtable.cursor();
      best.walk = Math.min(
        best.walk,
        nsEach(count, () => {
          for (cursor.seekToFirst(); cursor.valid; cursor.next()) found++;
        }),
      );
      if (found !== 2 * count) throw new Error(`expected ${2 * count} entries, got ${found}`);
      if (round === ROUNDS - 1) best.bytesEach = memtable.bytes / count;
    }
    const figures = Object.entries(best).map(([name, value]) => `${name} ${value.toFixed(0)}`);
    console.log(`${capacityMiB} MiB, ${count} keys: ${figures.join(', ')}`);
  }
}
