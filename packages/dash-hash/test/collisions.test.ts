/**
 * Keys made to collide. For the hash without a key (seed 0, 0) 100,000 keys are found that all begin in
 * one segment; in a table with a seed of its own they are keys like others.
 */
import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { hash32 } from '../src/hash.js';
import { DashTable } from '../src/index.js';

const KEYS = 100_000;
const PREFIX_BITS = 6;

/** Keys whose unseeded hashes begin with the same bits. */
function collidingKeys(): Uint8Array[] {
  const keys: Uint8Array[] = [];
  const key = new Uint8Array(8);
  const view = new DataView(key.buffer);
  for (let i = 0; keys.length < KEYS; i++) {
    view.setUint32(0, i);
    view.setUint32(4, Math.imul(i, 2654435761));
    if (hash32(0, 0, key, 0, 8) >>> (32 - PREFIX_BITS) === 0) keys.push(key.slice());
  }
  return keys;
}

describe('100,000 keys that collide under the unseeded hash', () => {
  const keys = collidingKeys();

  const fill = (seed: [number, number] | undefined) => {
    const table = DashTable.open(Region.heap(64 * 1024 * 1024), { seed });
    const value = new Uint8Array(8);
    for (const key of keys) table.set(key, value);
    return table;
  };

  it('do harm to a table without a seed: its directory is deeper than its size asks for', () => {
    const { depth, segments } = fill([0, 0]).stats;
    expect(depth).toBeGreaterThan(Math.log2(segments) + 4);
  });

  it('do none to a table with a seed of its own', () => {
    const table = fill(undefined);
    const { depth, segments, loadFactor } = table.stats;
    expect(depth).toBeLessThanOrEqual(Math.log2(segments) + 2);
    expect(loadFactor).toBeGreaterThan(0.7);
    for (const key of keys) if (!table.has(key)) expect(key).toBe('there');
    expect(table.verify().problems).toEqual([]);
  });

  it('meet another seed in every table', () => {
    const region = Region.heap(64 * 1024 * 1024);
    const depths = [0, 1, 2].map((root) => {
      const table = DashTable.open(region, { root });
      for (let i = 0; i < 5000; i++) table.set(keys[i], keys[i]);
      const order: number[] = [];
      for (let cursor = 0, more = true; more; more = cursor !== 0) {
        cursor = table.scan(cursor, 100, (record) => {
          const key = new Uint8Array(8);
          table.records.copyKey(record, key, 0);
          order.push(new DataView(key.buffer).getUint32(0));
        });
      }
      return order.slice(0, 100).join();
    });
    expect(new Set(depths).size).toBe(3);
  });
});
