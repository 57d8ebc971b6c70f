/**
 * Glob patterns over bytes, as Redis matches them: `*`, `?`, `[abc]`, `[^a-z]`, `\x`.
 *
 * Invariants
 *  1. Iterative; only the last `*` is ever retried, since an earlier one has nothing to gain. The
 *     cost is at most pattern length times subject length.
 *  2. A subject without a byte is matched by `*` alone and by a pattern without one, by no other.
 *  3. An unclosed `[` ends with the pattern, a trailing `\` stands for itself.
 *
 * Source: Redis 7.0, `util.c`, `stringmatchlen`.
 */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** Whether all of `subject` matches `pattern`. */
export function globMatches(pattern: Uint8Array, subject: Uint8Array): boolean {
  if (subject.length === 0) {
    return pattern.length === 0 || (pattern.length === 1 && pattern[0] === STAR);
  }
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let starSubjectAt = 0;
  while (at < subject.length) {
    const token = patternAt < pattern.length ? pattern[patternAt] : -1;
    if (token === STAR) {
      starAt = patternAt++;
      starSubjectAt = at;
      continue;
    }
    if (token >= 0 && tokenMatches(pattern, patternAt, subject[at])) {
      patternAt = tokenEnd(pattern, patternAt);
      at++;
      continue;
    }
    if (starAt < 0) return false;
    patternAt = starAt + 1;
    at = ++starSubjectAt;
  }
  while (pattern[patternAt] === STAR) patternAt++;
  return patternAt >= pattern.length;
}

/** Whether the token at `at`, which is not `*`, matches `byte`. */
function tokenMatches(pattern: Uint8Array, at: number, byte: number): boolean {
  switch (pattern[at]) {
    case QUESTION:
      return true;
    case OPEN:
      return classMatches(pattern, at + 1, byte);
    case BACKSLASH:
      return pattern[at + 1 < pattern.length ? at + 1 : at] === byte;
    default:
      return pattern[at] === byte;
  }
}

function classMatches(pattern: Uint8Array, start: number, byte: number): boolean {
  const negated = pattern[start] === CARET;
  let found = false;
  let at = negated ? start + 1 : start;
  while (at < pattern.length && pattern[at] !== CLOSE) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      if (pattern[at + 1] === byte) found = true;
      at += 2;
    } else if (at + 2 < pattern.length && pattern[at + 1] === DASH) {
      const low = Math.min(pattern[at], pattern[at + 2]);
      const high = Math.max(pattern[at], pattern[at + 2]);
      if (byte >= low && byte <= high) found = true;
      at += 3;
    } else {
      if (pattern[at] === byte) found = true;
      at++;
    }
  }
  return found !== negated;
}

/** The offset behind the token at `at`. */
function tokenEnd(pattern: Uint8Array, at: number): number {
  if (pattern[at] === BACKSLASH) return Math.min(at + 2, Math.max(pattern.length, at + 1));
  if (pattern[at] !== OPEN) return at + 1;
  let end = at + 1;
  if (pattern[end] === CARET) end++;
  while (end < pattern.length && pattern[end] !== CLOSE) {
    if (pattern[end] === BACKSLASH && end + 1 < pattern.length) end += 2;
    else if (end + 2 < pattern.length && pattern[end + 1] === DASH) end += 3;
    else end++;
  }
  return Math.min(end + 1, pattern.length);
}
