import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatches } from '../src/bytes/glob.js';
import { PATTERN_BYTES_MAX } from '../src/limits.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

const matches = (pattern: string, subject: string): boolean =>
  globMatches(Buffer.from(pattern, 'latin1'), Buffer.from(subject, 'latin1'));

/** `stringmatchlen` of Redis, as it is written there: recursive over `*`; its callers take `*` for all. */
function reference(pattern: string, subject: string): boolean {
  if (subject === '') return pattern === '' || pattern === '*';
  let p = 0;
  let s = 0;
  while (p < pattern.length && s < subject.length) {
    const token = pattern[p];
    if (token === '*') {
      while (pattern[p + 1] === '*') p++;
      if (p + 1 === pattern.length) return true;
      for (let from = s; from <= subject.length; from++) {
        if (reference(pattern.slice(p + 1), subject.slice(from))) return true;
      }
      return false;
    }
    if (token === '[') {
      p++;
      const not = pattern[p] === '^';
      if (not) p++;
      let found = false;
      for (;;) {
        if (pattern.length - p >= 2 && pattern[p] === '\\') {
          p++;
          if (pattern[p] === subject[s]) found = true;
        } else if (pattern[p] === ']') {
          break;
        } else if (p >= pattern.length) {
          p--;
          break;
        } else if (pattern.length - p >= 3 && pattern[p + 1] === '-') {
          const [low, high] = [pattern[p], pattern[p + 2]].sort();
          p += 2;
          if (subject[s] >= low && subject[s] <= high) found = true;
        } else if (pattern[p] === subject[s]) {
          found = true;
        }
        p++;
      }
      if (found === not) return false;
    } else {
      if (token === '\\' && pattern.length - p >= 2) p++;
      if (token !== '?' && pattern[p] !== subject[s]) return false;
    }
    s++;
    p++;
  }
  if (s === subject.length) while (pattern[p] === '*') p++;
  return p >= pattern.length && s === subject.length;
}

describe('glob patterns', () => {
  it.each([
    ['h?llo', 'hello', true],
    ['h*llo', 'heeeello', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-c]llo', 'hbllo', true],
    ['h[c-a]llo', 'hbllo', true],
    ['h\\?llo', 'h?llo', true],
    ['h\\?llo', 'hello', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['**', '', false],
    ['**', 'a', true],
    ['a*', 'a', true],
    ['[', '[', false],
    ['[a', 'a', true],
    ['[]', 'a', false],
    ['[^]', 'a', true],
    ['\\', '\\', true],
    ['a\\', 'a\\', true],
    ['*\\', '\\', true],
    ['**a**', 'bab', true],
  ])('%s against %s: %s', (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
    expect(reference(pattern, subject)).toBe(expected);
  });

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('glob')],
  ])('match as the reference does (%s seed)', (_name, seed) => {
    const alphabet = fc.constantFrom('a', 'b', 'c', '*', '?', '[', ']', '^', '-', '\\');
    const pattern = fc.string({ unit: alphabet, maxLength: 9 });
    const subject = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', ']'), maxLength: 7 });
    fc.assert(
      fc.property(pattern, subject, (p, s) => matches(p, s) === reference(p, s)),
      { seed, numRuns: 5_000 },
    );
  });

  it('take at most pattern length times subject length', () => {
    const stars = 'a*'.repeat(PATTERN_BYTES_MAX / 2 - 1);
    const started = performance.now();
    expect(matches(`${stars}b`, 'a'.repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
