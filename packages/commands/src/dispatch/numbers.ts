/** Numbers as arguments, with the refusals that Redis has for them. NaN: the error has been replied. */
import { parseInt64, parseSafeInteger } from '../bytes/integers.js';
import { NOT_AN_INTEGER } from '../errors.js';
import type { Call } from './call.js';

const INT32_MAX = 0x7fffffff;
const INT32_MIN = -0x80000000;

/**
 * A 64-bit integer as a number; what a double cannot hold exactly is rounded: for positions and counts,
 * which never get that far.
 */
export function readInteger(call: Call, index: number): number {
  const from = call.starts[index];
  const to = call.ends[index];
  const usual = parseSafeInteger(call.bytes, from, to);
  if (!Number.isNaN(usual)) return usual;
  const wide = parseInt64(call.bytes, from, to);
  if (wide !== undefined) return Number(wide);
  call.fail(NOT_AN_INTEGER);
  return Number.NaN;
}

/** A 32-bit integer, as numbers of databases are read. */
export function readInt32(call: Call, index: number): number {
  const value = readInteger(call, index);
  if (!(value < INT32_MIN || value > INT32_MAX)) return value;
  call.fail(`ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`);
  return Number.NaN;
}

/** An integer of at least `least`; `message` for everything else. */
export function readAtLeast(call: Call, index: number, least: number, message: string): number {
  const value = parseSafeInteger(call.bytes, call.starts[index], call.ends[index]);
  if (value >= least) return value;
  call.fail(message);
  return Number.NaN;
}
