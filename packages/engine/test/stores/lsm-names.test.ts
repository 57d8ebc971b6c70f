/** Names and places of the LSM store: slots, names that are cut, walks that are taken up again. */
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { crc16, slotOf } from '../../src/stores/lsm/slot.js';
import { type Store, ValueType } from '../../src/stores/store.js';
import { committing, openStore } from './lsm-stores.js';

const SPACE = 3;

async function withStore(body: (store: Store, again: () => Promise<Store>) => Promise<void>) {
  const sim = new SimVfs({ seed: 5 });
  await sim.run(async () => {
    const first = await openStore(sim);
    let current = first;
    await body(committing(first), async () => {
      await current.flush();
      const { flushedLsn } = current;
      await current.close();
      current = await openStore(sim);
      return committing(current, flushedLsn + 1);
    });
    await current.close();
  });
}

function put(store: Store, key: Buffer, value = 'v', expireAtMs = 0): void {
  const bytes = Buffer.from(value);
  store.putString(SPACE, key, 0, key.length, bytes, 0, bytes.length, expireAtMs);
}

function scanAll(store: Store, cursor: number, count: number, met: Set<string>, steps = 1_000) {
  let next = cursor;
  for (let i = 0; i < steps; i++) {
    next = store.scan(SPACE, next, count, (key) => met.add(Buffer.from(key).toString()));
    if (next === 0) break;
  }
  return next;
}

describe('the slot of a key', () => {
  it('is that of a Redis cluster', () => {
    const slot = (text: string) => slotOf(Buffer.from(text), 0, Buffer.byteLength(text));
    expect(crc16(Buffer.from('123456789'), 0, 9)).toBe(0x31c3);
    expect(slot('foo')).toBe(12_182);
    expect(slot('bar')).toBe(5_061);
    expect(slot('{user1000}.following')).toBe(slot('user1000'));
    expect(slot('foo{{bar}}zap')).toBe(slot('{bar'));
    expect(slot('foo{bar}{zap}')).toBe(slot('bar'));
    expect(slot('foo{}{bar}')).toBe(crc16(Buffer.from('foo{}{bar}'), 0, 10) % 16_384);
    expect(slot('foo{bar')).toBe(crc16(Buffer.from('foo{bar'), 0, 7) % 16_384);
  });
});

describe('names that are cut', () => {
  it('stay whole for those who look: keys and fields, scanned, sampled, ended, after a restart', async () => {
    await withStore(async (first, again) => {
      const base = 'x'.repeat(3_000);
      const keys = [`${base}1`, `${base}2`, 'x'.repeat(1_024), 'x'.repeat(1_025)];
      for (const key of keys) put(first, Buffer.from(key), `of ${key.length}`, 100);
      const [hash, field] = [Buffer.from(`${base}3`), Buffer.from(`field ${base}`)];
      const { hash: type } = ValueType;
      const value = Buffer.from('value');
      first.putField(SPACE, type, hash, 0, hash.length, field, 0, field.length, value, 0, 5);
      first.setFieldExpiry(SPACE, hash, 0, hash.length, field, 0, field.length, 50);
      const store = await again();
      const met = new Set<string>();
      scanAll(store, 0, 2, met);
      expect(met).toEqual(new Set([...keys, String(hash)]));
      const ended: string[] = [];
      store.scanExpired(SPACE, 101, 10, 10, (key) => ended.push(Buffer.from(key).toString()));
      expect(ended.sort()).toEqual([...keys].sort());
      const fields: string[] = [];
      store.scanExpiredFields(SPACE, 51, 10, 10, (key, name) => {
        fields.push(Buffer.from(key).toString(), Buffer.from(name).toString());
      });
      expect(fields).toEqual([String(hash), String(field)]);
      store.sampleField(SPACE, hash, 0, hash.length, 0.5, (name, view) => {
        expect(Buffer.from(name)).toEqual(field);
        expect(Buffer.from(view.bytes()).toString()).toBe('value');
      });
      for (const key of keys) store.remove(SPACE, Buffer.from(key), 0, key.length);
      store.removeField(SPACE, hash, 0, hash.length, field, 0, field.length);
      expect([store.keyCount(SPACE), store.expiringCount(SPACE)]).toEqual([0, 0]);
      expect(store.fieldExpiringCount(SPACE)).toBe(0);
    });
  });
});

describe('a walk within one slot', () => {
  it('goes on where it stopped, in bounded steps, and misses nothing after a restart', async () => {
    await withStore(async (first, again) => {
      const keys = Array.from({ length: 200 }, (_, i) => `{tag}${i}`);
      for (const key of keys) put(first, Buffer.from(key));
      let most = 0;
      let cursor = 0;
      const met = new Set<string>();
      do {
        let visited = 0;
        cursor = first.scan(SPACE, cursor, 10, (key) => {
          visited++;
          met.add(Buffer.from(key).toString());
        });
        most = Math.max(most, visited);
      } while (cursor !== 0);
      expect([met.size, most]).toEqual([200, 10]);

      const before = new Set<string>();
      const stopped = scanAll(first, 0, 10, before, 7);
      expect([before.size, stopped === 0]).toEqual([70, false]);
      const store = await again();
      scanAll(store, stopped, 10, before);
      expect(before.size).toBe(200);
      // What nobody gave out is taken for a place, or for the end.
      expect(store.scan(SPACE, Number.MAX_SAFE_INTEGER, 10, () => expect.fail())).toBe(0);
    });
  });
});
