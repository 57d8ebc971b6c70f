/** Every rule of the design has a test that names it. */
import { mask } from '../mask.js';
import type { Tree } from '../tree.js';
import type { Check } from '../violation.js';

/** Rules that the packages built so far are bound by, with the words a reader knows them by. */
export const RULES: Readonly<Record<string, string>> = {
  R1: 'effects, idempotent',
  R2: 'LSN',
  R3: 'nothing outruns the log',
  R4: 'retention',
  R5: 'identity',
  R6: 'formats last',
  R7: 'admit, then commit',
  R8: 'the core is single-threaded and synchronous',
  R9: 'the barrier',
  R10: 'failure is final',
  R11: 'one writer',
  R12: 'time never goes back',
  R13: 'torn is not corrupt',
  R14: 'recovery never writes to an existing segment',
  R15: 'rotation',
};

/** A call of `it`, `test` or `describe`, `.each(...)` and the like included, up to its title. */
const TITLE = /\b(?:it|test|describe)(?:\.\w+(?:\([^()]*\))?)*\(\s*(['"`])/g;

export const rules: Check = {
  name: 'rules',
  run(tree) {
    const named = new Set(titlesOf(tree).flatMap((title) => title.match(/\bR\d+\b/g) ?? []));
    return Object.entries(RULES)
      .filter(([rule]) => !named.has(rule))
      .map(([rule, meaning]) => ({
        check: 'rules',
        path: 'packages',
        message: `expected a test with ${rule} (${meaning}) in its title, got none: write it`,
      }));
  },
};

function titlesOf(tree: Tree): string[] {
  const titles: string[] = [];
  for (const [path, source] of tree) {
    if (!path.endsWith('.test.ts')) continue;
    const { code } = mask(source);
    for (const match of code.matchAll(TITLE)) {
      const start = match.index + match[0].length;
      titles.push(source.slice(start, code.indexOf(match[1], start)));
    }
  }
  return titles;
}
