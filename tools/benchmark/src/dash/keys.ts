/** Keys of 16 bytes that look random, made where they are needed: what a request's buffer holds. */

export const KEY_BYTES = 16;
export const VALUE_BYTES = 100;

const key = Buffer.alloc(KEY_BYTES);
const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES);

/** Writes key `number` of family `family` into the one buffer, and returns that. */
export function makeKey(number: number, family: number): Buffer {
  const first = mix(number + family);
  view.setInt32(0, first, true);
  view.setInt32(4, number, true);
  view.setInt32(8, mix(first), true);
  view.setInt32(12, ~first, true);
  return key;
}

/** Numbers from 0 to `count` - 1 in an order that caches cannot guess: give the step from 0 on. */
export function scattered(step: number, count: number): number {
  return (step * (982_451_653 % count)) % count;
}

/** The finalizer of MurmurHash3. */
function mix(number: number): number {
  let x = number;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
