/** Conformance: fields that end, and sampling. */
import assert from 'node:assert/strict';
import {
  assertEarliest,
  b,
  expiredFields,
  expireField,
  find,
  findField,
  put,
  putField,
  removeExpiredFields,
  removeField,
  SPACE,
  type StoreCase,
} from './conformance-steps.js';

export function fieldCases(withStore: StoreCase): void {
  withStore('a field ends at its own time, until it is set anew or gone', (store) => {
    putField(store, 'h', 'a', '1');
    putField(store, 'h', 'b', '2');
    expireField(store, 'h', 'a', 50);
    expireField(store, 'h', 'missing', 50);
    expireField(store, 'none', 'a', 50);
    put(store, 's', 'string');
    expireField(store, 's', 'a', 50);
    assert.equal(findField(store, 'h', 'a')?.expireAtMs, 50);
    assert.equal(findField(store, 'h', 'b')?.expireAtMs, 0);
    assert.equal(find(store, 'h')?.expireAtMs, 0);
    assert.deepEqual([store.fieldExpiringCount(SPACE), store.expiringCount(SPACE)], [1, 0]);
    assertEarliest(find(store, 'h')?.fieldsExpireAtMs, 50);
    assert.deepEqual([expiredFields(store, 'h', 50), expiredFields(store, 'h', 51)], [0, 1]);
    assert.deepEqual([expiredFields(store, 'none', 51), expiredFields(store, 's', 51)], [0, 0]);
    assert.equal(find(store, 'h')?.length, 2);
    putField(store, 'h', 'a', '3');
    assert.equal(findField(store, 'h', 'a')?.expireAtMs, 0);
    assert.equal(expiredFields(store, 'h', 51), 0);
    expireField(store, 'h', 'a', 60);
    expireField(store, 'h', 'b', 70);
    removeField(store, 'h', 'a');
    assertEarliest(find(store, 'h')?.fieldsExpireAtMs, 70);
    assert.equal(expiredFields(store, 'h', 71), 1);
    expireField(store, 'h', 'b', 0);
    assert.equal(findField(store, 'h', 'b')?.expireAtMs, 0);
    assert.equal(store.fieldExpiringCount(SPACE), 0);
    assert.equal(find(store, 'h')?.fieldsExpireAtMs, 0);
    expireField(store, 'h', 'b', 80);
    put(store, 'h', 'a string now');
    assert.equal(store.fieldExpiringCount(SPACE), 0);
    putField(store, 'h', 'b', 'again');
    assert.equal(findField(store, 'h', 'b')?.expireAtMs, 0);
  });

  withStore(
    'looking for expired fields finds all of them in bounded steps',
    async (store, pause) => {
      for (let i = 0; i < 300; i++) putField(store, `h${i % 7}`, `f${i}`, 'v');
      for (let i = 0; i < 300; i += 3)
        expireField(store, `h${i % 7}`, `f${i}`, i % 2 === 0 ? 50 : 90);
      for (let i = 0; i < 300; i += 9) expireField(store, `h${i % 7}`, `f${i}`, 0);
      for (let i = 0; i < 40; i++) putField(store, 'all', `f${i}`, 'v');
      for (let i = 0; i < 40; i++) expireField(store, 'all', `f${i}`, 70);
      assert.equal(store.fieldExpiringCount(SPACE), 8);
      store.scanExpiredFields(SPACE, 50, 7, 1_000, () => assert.fail('50 is not before 50'));
      await pause();
      assert.equal(removeExpiredFields(store, 51, 7, 20), 33);
      assert.equal(removeExpiredFields(store, 80, 7, 20), 40);
      assert.equal(find(store, 'all'), undefined);
      assert.equal(removeExpiredFields(store, 91, 7, 20), 33);
      assert.deepEqual([store.keyCount(SPACE), store.fieldExpiringCount(SPACE)], [7, 0]);
      let left = 0;
      for (let i = 0; i < 7; i++) left += find(store, `h${i}`)?.length ?? 0;
      assert.equal(left, 234);
    },
  );

  withStore(
    'evenly spread numbers sample every key and field, none far above its share',
    async (store, pause) => {
      const sampled = (sample: (random: number, visit: (name: Uint8Array) => void) => boolean) => {
        const met = new Map<string, number>();
        for (let i = 0; i < 5_000; i++) {
          let visits = 0;
          const found = sample(i / 5_000, (name) => {
            visits++;
            const text = Buffer.from(name).toString('latin1');
            met.set(text, (met.get(text) ?? 0) + 1);
          });
          assert.equal(visits, Number(found));
        }
        return met;
      };
      const sampleKeys = () => sampled((random, visit) => store.sampleKey(SPACE, random, visit));
      const sampleFields = (key: string) =>
        sampled((random, visit) => store.sampleField(SPACE, b(key), 0, key.length, random, visit));
      assert.equal(sampleKeys().size, 0);
      for (let i = 0; i < 150; i++) put(store, `key${i}`, 'v');
      for (let i = 0; i < 149; i++) putField(store, 'key149', `field${i}`, 'v');
      // Gaps of every kind: places that are empty must not favour their neighbours.
      for (let i = 0; i < 60; i++) store.remove(SPACE, b(`key${i}`), 0, `key${i}`.length);
      for (let i = 60; i < 140; i += 2) store.remove(SPACE, b(`key${i}`), 0, `key${i}`.length);
      for (let i = 0; i < 99; i++) removeField(store, 'key149', `field${i}`);
      await pause();
      assert.equal(sampleFields('none').size, 0);
      assert.equal(sampleFields('key141').size, 0);
      for (const met of [sampleKeys(), sampleFields('key149')]) {
        assert.equal(met.size, 50);
        const most = Math.max(...met.values());
        assert(most <= 500, `expected each about 100 times of 5,000, one came ${most} times`);
      }
    },
  );
}
