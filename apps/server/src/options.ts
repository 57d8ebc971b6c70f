/**
 * The kinds of values that options have. Each reads the text of a flag or a variable, and says
 * what it expected when it cannot.
 */
import type { EngineOptions } from '@nendb/engine';
import * as z from 'zod/mini';

export type SyncPolicy = NonNullable<EngineOptions['sync']>;

const BYTE_UNITS = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;
const TIME_MS_MAX = 24 * 3600 * 1000;
/** What the log takes: a longer window is a mistake in the unit. */
const SYNC_WINDOW_MS_MAX = 3600 * 1000;
const SYNC_EVERY_MAX = 1e9;

/** A schema from text to `T`; `read` returns `undefined` for what it does not understand. */
export function reading<T>(expected: string, read: (text: string) => T | undefined) {
  return z.pipe(
    z.string(),
    z.transform((text, context): T => {
      const value = read(text);
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: expected, input: text });
      return z.NEVER;
    }),
  );
}

/** A decimal integer between two bounds, both included. */
export function integer(min: number, max: number, what: string) {
  return reading(`${what}: an integer from ${min} to ${max}`, (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** A number of bytes, plain or with kb, mb or gb (powers of 1024, as Redis's configuration has it). */
export function bytes(min: number, max: number) {
  return reading(`a number of bytes from ${min} to ${max}, such as 65536, 64kb or 1gb`, (text) => {
    const match = /^(\d{1,16})(b|kb|mb|gb|)$/i.exec(text);
    if (!match) return undefined;
    const value = Number(match[1]) * BYTE_UNITS[match[2].toLowerCase() as keyof typeof BYTE_UNITS];
    return value >= min && value <= max ? value : undefined;
  });
}

/** A time in milliseconds. */
export function milliseconds(min: number) {
  return integer(min, TIME_MS_MAX, min === 0 ? 'milliseconds (0 means never)' : 'milliseconds');
}

export function oneOf<const T extends string>(values: readonly T[]) {
  return reading(`one of ${values.join(', ')}`, (text) => values.find((value) => value === text));
}

export function nonEmpty(what: string) {
  return reading(what, (text) => (text.trim() === '' || text.includes('\0') ? undefined : text));
}

/** `always`, `<ms>ms`, `every:<N>` or `os`. */
export function syncPolicy() {
  return reading<SyncPolicy>(
    'always, <ms>ms (as in 100ms), every:<N> (as in every:1000), or os',
    (text) => {
      if (text === 'always' || text === 'os') return text;
      const interval = /^(\d{1,8})ms$/.exec(text);
      if (interval && inRange(Number(interval[1]), SYNC_WINDOW_MS_MAX)) {
        return { windowMs: Number(interval[1]) };
      }
      const every = /^every:(\d{1,9})$/.exec(text);
      return every && inRange(Number(every[1]), SYNC_EVERY_MAX)
        ? { every: Number(every[1]) }
        : undefined;
    },
  );
}

/** How a policy is written on the command line. */
export function formatSync(policy: SyncPolicy): string {
  if (typeof policy === 'string') return policy;
  return 'every' in policy ? `every:${policy.every}` : `${policy.windowMs}ms`;
}

function inRange(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}
