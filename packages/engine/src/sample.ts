/**
 * Picks one of what lives (keys, or fields of a collection), about evenly: the store gives any that
 * it holds, those that have ended or were removed in the transaction are passed over, and those that
 * the transaction made have their share.
 */
import { SAMPLE_TRIES_MAX } from './limits.js';
import type { RecordView } from './stores/store.js';

type Visitor = (name: Uint8Array, view: RecordView) => void;

/**
 * @param random from 0 to below 1; further numbers are derived from it
 * @param sampleStored visits the one in the store that a number falls on
 * @param find the one of that name as far as it lives
 * @param scan visits all that live, a part a call; as `Store.scan`
 * @param created names of those that the store has not
 * @param storedCount how many the store holds, living or not
 * @returns whether there was one to visit
 */
export function sampleLiving(
  random: number,
  sampleStored: (random: number, visit: Visitor) => boolean,
  find: (name: Uint8Array) => RecordView | undefined,
  scan: (cursor: number, visit: Visitor) => number,
  created: readonly Uint8Array[],
  storedCount: number,
  visit: Visitor,
): boolean {
  let number = random;
  for (let tries = 0; tries < SAMPLE_TRIES_MAX; tries++) {
    const at = number * (storedCount + created.length);
    let name: Uint8Array | undefined;
    if (at < storedCount) {
      sampleStored(at / storedCount, (stored) => {
        name = Buffer.from(stored);
      });
    } else {
      name = created[Math.floor(at - storedCount)];
    }
    const view = name && find(name);
    if (name && view) {
      visit(name, view);
      return true;
    }
    number = following(number);
  }
  return sampleFirst(scan, visit);
}

/** Where hardly any lives: the first one. */
function sampleFirst(scan: (cursor: number, visit: Visitor) => number, visit: Visitor): boolean {
  let found = false;
  let cursor = 0;
  do {
    cursor = scan(cursor, (name, view) => {
      if (!found) visit(name, view);
      found = true;
    });
  } while (cursor !== 0 && !found);
  return found;
}

/** Another number from 0 to below 1, which looks unrelated: one step of a 32-bit mix. */
function following(number: number): number {
  let bits = Math.floor(number * 0x100000000) ^ 0x9e3779b9;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 0x100000000;
}
