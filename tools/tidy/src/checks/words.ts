/** Words that promise work instead of doing it, and switches that silence the compiler or a test. */
import { mask } from '../mask.js';
import { type Check, lineAt, type Violation } from '../violation.js';

/** Looked for in code, comments and documents. */
const WORDS: readonly RegExp[] = [
  /\b(?:TODO|FIXME|XXX|HACK)\b/g,
  /\b(?:placeholder|for now|not (?:yet )?implemented)\b/gi,
  /@ts-(?:ignore|nocheck)\b/g,
];

/** Looked for in code alone. */
const SWITCHES: readonly RegExp[] = [
  /\b(?:it|test|describe)\.(?:only|todo)\b/g,
  /(?::|\bas|<|\|) ?any\b(?=[\s,;)\]>=|[])/g,
];

/** This package names the words in order to find them. */
const OWN_FOLDER = 'tools/tidy/';

export const words: Check = {
  name: 'words',
  run(tree) {
    const violations: Violation[] = [];
    for (const [path, text] of tree) {
      if (path.startsWith(OWN_FOLDER) || !/\.(?:ts|mts|js|mjs|md)$/.test(path)) continue;
      violations.push(...find(WORDS, text, path));
      if (!path.endsWith('.md')) violations.push(...find(SWITCHES, mask(text).code, path));
    }
    return violations;
  },
};

function find(patterns: readonly RegExp[], text: string, path: string): Violation[] {
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      check: 'words',
      path,
      line: lineAt(text, match.index),
      message: `expected work that is done, got ${JSON.stringify(match[0])}: do it, or leave it out`,
    })),
  );
}
