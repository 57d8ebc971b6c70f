/** R7: what a region has no room for is refused before it is applied; what is admitted can be applied. */
import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { applyEffects } from '../../../src/effects/apply.js';
import { Databases } from '../../../src/effects/databases.js';
import { EffectReader } from '../../../src/effects/reader.js';
import { EffectWriter } from '../../../src/effects/writer.js';
import { DashStore } from '../../../src/stores/dash/dash-store.js';
import { ValueType } from '../../../src/stores/store.js';

const MiB = 1024 * 1024;
const { string, hash } = ValueType;
const rotating = Math.floor(performance.timeOrigin) % 1_000_000;

type Step = (writer: EffectWriter, random: (sides: number) => number) => void;

const bytesOf = (text: string) => Buffer.from(text);

const steps: Record<string, Step> = {
  strings: (writer, random) => {
    for (let i = 0; i <= random(20); i++) {
      const key = bytesOf(`key ${random(1e6)}`);
      const value = Buffer.alloc(random(random(2) === 0 ? 100 : 5_000), 'v');
      const at = random(3) * 1_000;
      writer.put(1, string, true, key, 0, key.length, at, value, 0, value.length);
    }
  },
  'large strings and patches': (writer, random) => {
    const key = bytesOf(`large ${random(40)}`);
    const value = Buffer.alloc(random(300_000), 'v');
    if (random(2) === 0) {
      writer.put(1, string, false, key, 0, key.length, 0, value, 0, value.length);
    } else {
      const bytes = bytesOf('patch');
      const length = 5 + random(400_000);
      writer.patch(1, string, false, key, 0, key.length, random(length - 4), length, bytes, 0, 5);
    }
    writer.expire(1, string, key, 0, key.length, random(2) * 5_000);
  },
  hashes: (writer, random) => {
    const key = bytesOf(`hash ${random(3_000)}`);
    for (let i = 0; i <= random(60); i++) {
      const field = bytesOf(`field ${random(400)}`);
      const value = Buffer.alloc(random(90), 'v');
      const { length } = field;
      writer.fieldPut(
        1,
        hash,
        false,
        false,
        key,
        0,
        key.length,
        field,
        0,
        length,
        value,
        0,
        value.length,
      );
      if (random(4) === 0) writer.fieldExpire(1, hash, key, 0, key.length, field, 0, length, 9_000);
      if (random(9) === 0) writer.fieldDrop(1, hash, false, key, 0, key.length, field, 0, length);
    }
  },
};

describe.each(Object.entries(steps))('a full region under %s', (_name, step) => {
  it(`R7: refuses first, applies all that it admits, and has room again (seed ${rotating})`, () => {
    for (const seed of [1, rotating]) {
      let state = seed >>> 0;
      const random = (sides: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * sides);
      };
      const store = new DashStore(Region.heap(4 * MiB));
      const databases = new Databases();
      const reader = new EffectReader();
      const writer = new EffectWriter(8 * MiB);
      let refused = 0;
      let applied = 0;
      for (let i = 0; i < 4_000 && refused < 20; i++) {
        writer.reset();
        step(writer, random);
        const { bytes, length } = writer;
        if (store.admits(bytes, 0, length)) {
          applyEffects(reader, bytes, 0, length, store, databases);
          applied++;
        } else {
          refused++;
        }
      }
      expect(applied).toBeGreaterThan(10);
      expect(refused).toBe(20);
      const { bytes: fullBytes } = store.usage();
      // What removes is admitted always, and makes room.
      const names: Buffer[] = [];
      let cursor = 0;
      do {
        cursor = store.scan(1, cursor, 100, (key) => names.push(Buffer.from(key)));
      } while (cursor !== 0);
      for (const key of names) {
        writer.reset();
        writer.delete(1, string, key, 0, key.length);
        expect(store.admits(writer.bytes, 0, writer.length)).toBe(true);
        applyEffects(reader, writer.bytes, 0, writer.length, store, databases);
      }
      while (store.reclaim(1_000));
      expect(store.keyCount(1)).toBe(0);
      expect(fullBytes).toBeGreaterThan(MiB);
      writer.reset();
      step(writer, random);
      expect(store.admits(writer.bytes, 0, writer.length)).toBe(true);
      void store.close();
    }
  });
});
