/** Checks of what callers give: in range, or a typed error. */
import { DashError } from '../errors.js';
import { EXPIRE_AT_MS_MAX, FLAGS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.js';
import type { Seed } from './create.js';
import { HASHES } from './scan.js';

export function checkLengths(keyBytes: number, valueBytes: number): void {
  if (keyBytes > KEY_BYTES_MAX || valueBytes > VALUE_BYTES_MAX) {
    const [what, came, most] =
      keyBytes > KEY_BYTES_MAX
        ? ['a key', keyBytes, KEY_BYTES_MAX]
        : ['a value', valueBytes, VALUE_BYTES_MAX];
    throw new DashError(
      'DASH_TOO_LARGE',
      `expected ${what} of at most ${most} bytes, got ${came}: cut it into several entries`,
    );
  }
}

export function checkMarks(flags: number, expireAtMs: number): void {
  if (!Number.isInteger(flags) || flags < 0 || flags > FLAGS_MAX) {
    throw new DashError('DASH_BAD_OPTION', `expected flags from 0 to ${FLAGS_MAX}, got ${flags}`);
  }
  if (!Number.isInteger(expireAtMs) || expireAtMs < 0 || expireAtMs > EXPIRE_AT_MS_MAX) {
    throw new DashError(
      'DASH_BAD_OPTION',
      `expected expireAtMs to be whole milliseconds since 1970, or 0 for never, got ${expireAtMs}`,
    );
  }
}

export function checkPatch(at: number, bytes: number, newLength: number): void {
  if (at >= 0 && bytes >= 0 && at + bytes <= newLength) return;
  throw new DashError(
    'DASH_BAD_OPTION',
    `expected a patch inside the value, got bytes ${at} to ${at + bytes} of ${newLength}: give the length that it has afterwards`,
  );
}

export function checkCursor(cursor: number): void {
  if (Number.isInteger(cursor) && cursor >= 0 && cursor < HASHES) return;
  throw new DashError(
    'DASH_BAD_OPTION',
    `expected a cursor that scan returned, or 0 to begin, got ${cursor}`,
  );
}

export function checkSeed(seed: Seed): Seed {
  if (seed.length === 2 && seed.every((word) => Number.isInteger(word))) return seed;
  throw new DashError(
    'DASH_BAD_OPTION',
    `expected a seed of two 32-bit numbers, got ${JSON.stringify(seed)}: leave it out for a random one`,
  );
}
