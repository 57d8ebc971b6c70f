/**
 * A store in a region that was there before, as a killed process leaves it: what is kept beside the
 * region (times in order, counts) is gathered again, in steps, while it is read and written.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DashSpace } from '@nendb/dash-hash';
import { Region } from '@nendb/pmem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectState } from '../../../src/stores/conformance-steps.js';
import { DashStore } from '../../../src/stores/dash/dash-store.js';
import { StoreModel } from '../../../src/stores/store-model.js';

const MiB = 1024 * 1024;
const rotating = Math.floor(performance.timeOrigin) % 1_000_000;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-store-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = () => Region.open({ backend: 'mmap', path: join(dir, 'region'), bytesMax: 16 * MiB });

describe('a store whose region was there before', () => {
  it.each([1, rotating])('is what it was, at once and after more writes: seed %i', async (seed) => {
    const model = new StoreModel(seed);
    const options = { packedFieldsMax: 3 };
    for (let life = 0; life < 4; life++) {
      const region = await open();
      const store = new DashStore(region, options);
      for (let i = 0; i < 30; i++) model.step(store);
      if (life % 2 === 0) expectState(store, model);
      for (let i = 0; i < 150; i++) {
        model.step(store);
        if (i % 40 === 0) store.reclaim(5);
      }
      expectState(store, model);
      while (store.reclaim(100));
      expectState(store, model);
      expect(DashSpace.of(region).verify().problems).toEqual([]);
      await store.close();
    }
  });

  it('frees tables that a crash has left without a name, and what was given up before it', async () => {
    const region = await open();
    const store = new DashStore(region, { packedFieldsMax: 1 });
    const put = (space: number, name: string) => {
      const [key, value] = [Buffer.from(name), Buffer.from('v')];
      for (const field of [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]) {
        store.putField(space, 2, key, 0, key.length, field, 0, 1, value, 0, 1);
      }
    };
    for (let i = 0; i < 50; i++) put(1 + (i % 2), `hash ${i}`);
    store.retainNamespaces([1], 3);
    const { tables: before } = DashSpace.of(region).verify();
    // The process ends before anything was reclaimed.
    await region.close();
    const again = await open();
    const reopened = new DashStore(again, { packedFieldsMax: 1 });
    expect(reopened.databases).toEqual({ namespaces: [1], nextNamespace: 3 });
    expect([reopened.keyCount(1), reopened.keyCount(2)]).toEqual([25, 0]);
    while (reopened.reclaim(10));
    const verdict = DashSpace.of(again).verify();
    expect(verdict.problems).toEqual([]);
    // The catalog, the keys and the directory of one namespace, and its hashes.
    expect(verdict.tables).toBe(3 + 25);
    expect(before).toBeGreaterThan(verdict.tables);
    await reopened.close();
  });
});
