/**
 * Keys and values that every store is given: key i is 2 i in 16 digits (odd numbers are absent), its value
 * 100 characters out of a pool that does not compress.
 */

export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;

const POOL_BYTES = 1 << 20;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Numbers that are the same in every run (xorshift32, Marsaglia 2003). */
function* random(): Generator<number, never> {
  let x = 0x9e3779b9;
  for (;;) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x >>> 0;
  }
}

/** 0 to count - 1 in an order that is the same in every run (Fisher and Yates). */
export function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const numbers = random();
  for (let i = count - 1; i > 0; i--) {
    const j = numbers.next().value % (i + 1);
    const other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  return order;
}

const numbers = random();
const poolText = Array.from({ length: POOL_BYTES }, () => LETTERS[numbers.next().value & 63]).join(
  '',
);
const poolBytes = Buffer.from(poolText, 'latin1');

function placeOf(i: number): number {
  return (i * 37) % (POOL_BYTES - VALUE_BYTES);
}

/** The value of key i, as the bytes or text that a store is fastest with. */
export function valueBytes(i: number): Uint8Array {
  const at = placeOf(i);
  return poolBytes.subarray(at, at + VALUE_BYTES);
}

export function valueText(i: number): string {
  const at = placeOf(i);
  return poolText.slice(at, at + VALUE_BYTES);
}

/** A long value whose first bytes differ from one version to the next. */
export function longValue(bytes: number, version: number): Buffer {
  const value = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at += POOL_BYTES) {
    poolBytes.copy(value, at, (version * 61) % 4096, POOL_BYTES);
  }
  value.writeUInt32LE(version, 0);
  return value;
}

/** Writes the key of number `n` into `key`, 16 digits. */
export function writeKey(key: Uint8Array, n: number): Uint8Array {
  let rest = n;
  for (let i = KEY_BYTES - 1; i >= 0; i--) {
    const tenth = (rest / 10) | 0;
    key[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return key;
}

export function keyText(n: number): string {
  return String(n).padStart(KEY_BYTES, '0');
}
