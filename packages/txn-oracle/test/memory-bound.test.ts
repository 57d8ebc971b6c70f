import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Oracle } from '../src/index.js';
import {
  KEPT_KEY_BYTES_MAX,
  RANGE_BYTES,
  RANGES_PER_TRANSACTION_MAX,
  READS_PER_TRANSACTION_MAX,
} from '../src/limits.js';

function key(number: number): Buffer {
  const bytes = Buffer.alloc(16, 'key-');
  bytes.writeUInt32BE(number, 12);
  return bytes;
}

describe('the memory of reads', () => {
  it('is nothing once the transactions have ended, however many there were', () => {
    const oracle = new Oracle();
    for (let i = 0; i < 20_000; i++) {
      const txn = oracle.begin();
      for (let j = 0; j < 5; j++) txn.read(key(i * 5 + j));
      txn.readRange(key(i), key(i + 10));
      txn.write(key(i));
      oracle.commit(txn);
    }
    expect(oracle.stats()).toMatchObject({
      open: 0,
      points: 0,
      ranges: 0,
      readBytes: 0,
      commits: 20_000,
    });
  });

  it('does not grow with commits while an old transaction stays open', () => {
    const oracle = new Oracle();
    const old = oracle.begin();
    old.read(key(0));
    const { readBytes } = oracle.stats();
    for (let i = 1; i < 20_000; i++) {
      const txn = oracle.begin();
      txn.read(key(i));
      txn.write(key(i));
      oracle.commit(txn);
    }
    expect(oracle.stats()).toMatchObject({ open: 1, points: 1, ranges: 0, readBytes });
    expect(oracle.oldestActive).toBe(0);
    old.abort();
  });

  it('counts the same key once', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    for (let i = 0; i < 100_000; i++) txn.read(key(i % 7));
    expect(oracle.stats()).toMatchObject({ points: 7, coarsened: 0 });
    expect(txn.points).toBe(7);
    txn.readRange(key(0), key(100));
    for (let i = 0; i < 100; i++) txn.read(key(i));
    expect(oracle.stats()).toMatchObject({ points: 7, ranges: 1 });
  });

  it('is bounded in one transaction: points become ranges, close to what was read', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    for (let i = 0; i < 1_000_000; i++) txn.read(key(i));
    const { points, ranges, readBytes, coarsened } = oracle.stats();
    expect(points).toBeLessThan(READS_PER_TRANSACTION_MAX);
    expect(ranges).toBeGreaterThan(0);
    expect(ranges).toBeLessThanOrEqual(RANGES_PER_TRANSACTION_MAX);
    expect(readBytes).toBeLessThan(2 ** 21);
    expect(coarsened).toBeGreaterThan(0);
    oracle.noteWrite(key(1_000_000));
    expect(txn.conflicted).toBe(false);
    oracle.noteWrite(key(654_321));
    expect(txn.conflicted).toBe(true);
  });

  it('keeps clusters of points apart when they become ranges', () => {
    const oracle = new Oracle({ readsPerTransactionMax: 100, rangesPerTransactionMax: 20 });
    const txn = oracle.begin();
    for (let i = 0; i < 100; i++) txn.read(key(Math.floor(i / 10) * 1_000_000 + (i % 10)));
    expect(oracle.stats()).toMatchObject({ points: 0, ranges: 10, coarsened: 1 });
    for (let i = 0; i < 10; i++) oracle.noteWrite(key(i * 1_000_000 + 10));
    expect(txn.conflicted).toBe(false);
    oracle.noteWrite(key(3_000_009));
    expect(txn.conflicted).toBe(true);
  });

  it('joins ranges that touch, and neighbours where there are too many', () => {
    const oracle = new Oracle({ rangesPerTransactionMax: 4 });
    const txn = oracle.begin();
    for (let i = 0; i < 50; i++) txn.readRange(key(i), key(i + 1));
    expect(oracle.stats().ranges).toBe(1);
    for (let i = 1; i < 4; i++) txn.readRange(key(i * 1000), key(i * 1000 + 1));
    expect(oracle.stats()).toMatchObject({ ranges: 4, coarsened: 0 });
    txn.readRange(key(5000), key(5001));
    expect(oracle.stats()).toMatchObject({ ranges: 2, coarsened: 1 });
    txn.readRange(key(0));
    expect(oracle.stats().ranges).toBe(1);
  });

  it('is bounded for all transactions together', () => {
    const readBytesMax = 100_000;
    const oracle = new Oracle({ readBytesMax });
    const count = 500;
    const txns = Array.from({ length: count }, () => oracle.begin());
    for (let i = 0; i < 100_000; i++) txns[i % count].read(key((i * 7919) % 100_000));
    const oneRange = RANGE_BYTES + 2 * KEPT_KEY_BYTES_MAX;
    expect(oracle.stats().readBytes).toBeLessThanOrEqual(readBytesMax + count * oneRange);
    expect(oracle.stats().coarsened).toBeGreaterThan(0);
    oracle.noteRange(key(0), key(100_000));
    expect(txns.every(({ conflicted }) => conflicted)).toBe(true);
    expect(oracle.stats().readBytes).toBe(0);
  });

  it('does not depend on the length of keys', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    const long = Buffer.alloc(1_000_000);
    txn.read(long);
    txn.readRange(long, Buffer.alloc(1_000_000, 1));
    expect(oracle.stats().readBytes).toBeLessThan(2000);
  });

  it('is what it says, within a factor of two, and is given back', async () => {
    const oracle = new Oracle({ readBytesMax: 2 ** 30 });
    const before = heldBytes();
    const txns = Array.from({ length: 1000 }, () => oracle.begin());
    for (let i = 0; i < 400_000; i++) txns[i % 1000].read(key(i));
    const { readBytes, points } = oracle.stats();
    expect(points).toBe(400_000);
    expect(heldBytes() - before).toBeLessThan(2 * readBytes);
    for (const txn of txns) txn.abort();
    txns.length = 0;
    expect(oracle.stats().readBytes).toBe(0);
    // The runtime frees array buffers beside the program: in the end they are gone.
    const left = () => heldBytes() - before;
    await expect.poll(left, { timeout: 20_000, interval: 50 }).toBeLessThan(readBytes / 20);
  });
});

/** Bytes that are alive after a collection. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
