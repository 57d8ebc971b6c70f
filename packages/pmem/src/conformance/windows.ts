/** The part of the suite about windows: what is stored is read, through every view of it. */
import assert from 'node:assert/strict';
import type { ConformanceCase } from './subject.js';

const AT = 8192;

export const windowCases: readonly ConformanceCase[] = [
  {
    name: 'windows cover the region, and their views are views of the same bytes',
    body({ windows, bytesMax }) {
      assert.equal(
        windows.reduce((sum, { bytes }) => sum + bytes, 0),
        bytesMax,
      );
      for (const { u8, i32, u32, f64, bytes } of windows) {
        assert.deepEqual(
          [u8.length, i32.length * 4, u32.length * 4, f64.length * 8],
          [bytes, bytes, bytes, bytes],
        );
      }
    },
  },
  {
    name: 'stores of 32 and 64 bits are little-endian and end where they should',
    body({ windows: [window] }) {
      window.store32(AT / 4, 0x04030201);
      window.commit32(AT / 4 + 1, -2);
      window.storeF64(AT / 8 + 1, 2 ** 53 - 1);
      window.store32(AT / 4 + 4, 0xfedcba98);
      assert.deepEqual([...window.u8.subarray(AT, AT + 8)], [1, 2, 3, 4, 254, 255, 255, 255]);
      assert.equal(window.i32[AT / 4 + 1], -2);
      assert.equal(window.u32[AT / 4 + 1], 2 ** 32 - 2);
      assert.equal(window.f64[AT / 8 + 1], 2 ** 53 - 1);
      assert.equal(window.u32[AT / 4 + 4], 0xfedcba98);
      assert.equal(window.i32[AT / 4 + 5], 0);
    },
  },
  {
    name: 'copies of every length and alignment store those bytes and no others',
    body({ windows: [window] }) {
      const source = Uint8Array.from({ length: 160 }, (_, i) => i + 1);
      for (let bytes = 0; bytes <= 150; bytes += bytes < 24 ? 1 : 21) {
        for (let shift = 0; shift < 9; shift++) {
          window.zero(AT, AT + 256);
          window.copyIn(AT + shift, source, shift, shift + bytes);
          const expected = new Uint8Array(256);
          expected.set(source.subarray(shift, shift + bytes), shift);
          assert.deepEqual(window.u8.slice(AT, AT + 256), expected, `${bytes} bytes at ${shift}`);
        }
      }
      window.zero(AT, AT + 256);
      window.copyIn(AT, source, 0, source.length);
      assert.deepEqual(window.u8.slice(AT, AT + source.length), source);
    },
  },
  {
    name: 'zeroes exactly the bytes it is asked for',
    body({ windows: [window] }) {
      const source = new Uint8Array(32).fill(0xff);
      for (let from = 0; from <= 16; from++) {
        for (let to = from; to <= 16; to++) {
          window.copyIn(AT, source, 0, source.length);
          window.zero(AT + from, AT + to);
          const expected = source.slice().fill(0, from, to);
          assert.deepEqual(window.u8.slice(AT, AT + 32), expected, `${from} to ${to}`);
        }
      }
    },
  },
  {
    name: 'copies inside a window may overlap',
    body({ windows: [window] }) {
      const source = Uint8Array.from({ length: 200 }, (_, i) => i + 1);
      for (const to of [AT + 3, AT + 64, AT + 130, AT + 1000]) {
        window.copyIn(AT + 64, source, 0, source.length);
        window.copyWithin(window, to, AT + 64, AT + 64 + source.length);
        assert.deepEqual(window.u8.slice(to, to + source.length), source);
      }
    },
  },
];
