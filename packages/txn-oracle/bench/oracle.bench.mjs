/**
 * What the oracle adds to a read, a commit and a lone write, in nanoseconds. Run after a build:
 * `node packages/txn-oracle/bench/oracle.bench.mjs`.
 */
import { Oracle } from '../dist/index.js';

const ROUNDS = 5;
const KEYS = 1 << 16;

/** Keys of 16 bytes, as a table of users has them. */
const keys = Array.from({ length: KEYS }, (_, i) =>
  Buffer.from(`user:${String((i * 2654435761) >>> 0).padStart(11, '0')}`),
);

/** Nanoseconds of one of `count` calls, the best of several rounds; `prepare` is not counted. */
function row(name, count, prepare, run) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const state = prepare();
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) run(state, i);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / count);
  }
  console.log(`${name.padEnd(58)} ${best.toFixed(0).padStart(7)} ns`);
}

const key = (i) => keys[i & (KEYS - 1)];

row(
  'lone write, no transaction open',
  2_000_000,
  () => new Oracle(),
  (oracle, i) => oracle.noteWrite(key(i)),
);
row(
  'lone write, 10,000 transactions have read 3 points each',
  500_000,
  () => {
    const oracle = new Oracle();
    for (let i = 0; i < 10_000; i++) {
      const txn = oracle.begin();
      for (let j = 0; j < 3; j++) txn.read(Buffer.from(`watched:${i}:${j}`));
    }
    return oracle;
  },
  (oracle, i) => oracle.noteWrite(key(i)),
);
row(
  'lone write, 10,000 ranges open',
  200_000,
  () => {
    const oracle = new Oracle();
    for (let i = 0; i < 10_000; i++) {
      const from = String(i).padStart(6, '0');
      oracle.begin().readRange(Buffer.from(`zone:${from}`), Buffer.from(`zone:${from}z`));
    }
    return oracle;
  },
  (oracle, i) => oracle.noteWrite(key(i)),
);
row(
  'begin and abort, reading nothing',
  500_000,
  () => new Oracle(),
  (oracle) => oracle.begin().abort(),
);
row(
  'begin, read 1 point, write it, commit',
  300_000,
  () => new Oracle(),
  (oracle, i) => {
    const txn = oracle.begin();
    txn.read(key(i));
    txn.write(key(i));
    oracle.commit(txn);
  },
);
row(
  'point read, of 10,000 in a transaction',
  500_000,
  () => ({ oracle: new Oracle(), txn: undefined }),
  (state, i) => {
    if (i % 10_000 === 0) {
      state.txn?.abort();
      state.txn = state.oracle.begin();
    }
    state.txn.read(key(i));
  },
);
row(
  'range read, of 100 apart in a transaction',
  200_000,
  () => ({ oracle: new Oracle(), txn: undefined }),
  (state, i) => {
    if (i % 100 === 0) {
      state.txn?.abort();
      state.txn = state.oracle.begin();
    }
    state.txn.readRange(key(i), Buffer.concat([key(i), key(0)]));
  },
);
