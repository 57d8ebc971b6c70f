/**
 * Storage packages reach the outside world through the injected environment alone: otherwise the
 * simulator would not see it, and a crash test would prove nothing.
 */
import { mask } from '../mask.js';
import { packagesOf, sourcesOf } from '../packages.js';
import { type Check, lineAt, type Violation } from '../violation.js';

type Kind = 'files' | 'clock' | 'timers' | 'randomness' | 'threads';

interface Ban {
  kind: Kind;
  pattern: RegExp;
  instead: string;
}

/** Matched against code without comments, but with the contents of strings. */
const MODULES: readonly Ban[] = [
  { kind: 'files', pattern: /(['"])(?:node:)?fs(?:\/promises)?\1/g, instead: 'the Vfs' },
  { kind: 'timers', pattern: /(['"])(?:node:)?timers(?:\/promises)?\1/g, instead: 'vfs.timers' },
  { kind: 'clock', pattern: /(['"])(?:node:)?perf_hooks\1/g, instead: 'vfs.clock' },
  { kind: 'threads', pattern: /(['"])(?:node:)?child_process\1/g, instead: 'vfs.executor' },
];

/** Matched against code whose comments and strings are blank. */
const CALLS: readonly Ban[] = [
  { kind: 'clock', pattern: /\bDate\.now\b/g, instead: 'vfs.clock.wallMs' },
  { kind: 'clock', pattern: /\bnew Date\s*(?:\(\s*\)|(?![\s(\w]))/g, instead: 'vfs.clock.wallMs' },
  { kind: 'clock', pattern: /\bperformance\.\w+/g, instead: 'vfs.clock.monotonicMs' },
  { kind: 'clock', pattern: /\bprocess\.hrtime\b/g, instead: 'vfs.clock.monotonicMs' },
  { kind: 'randomness', pattern: /\bMath\.random\b/g, instead: 'vfs.random' },
  {
    kind: 'randomness',
    pattern: /\b(?:randomBytes|randomUUID|randomInt|randomFill(?:Sync)?|getRandomValues)\b/g,
    instead: 'vfs.random',
  },
  {
    kind: 'timers',
    pattern: /(?<![.\w])(?:set|clear)(?:Timeout|Interval|Immediate)\s*\(/g,
    instead: 'vfs.timers',
  },
  { kind: 'threads', pattern: /\bnew Worker\s*\(/g, instead: 'vfs.executor' },
];

/** Where the outside world is let in, and which part of it. Apps and tools are outside. */
const LET_IN: readonly { folder: string; kinds: readonly Kind[] }[] = [
  {
    folder: 'packages/vfs/src/node/',
    kinds: ['files', 'clock', 'timers', 'randomness', 'threads'],
  },
  { folder: 'packages/cli/src/', kinds: ['files', 'clock', 'timers'] },
];

export const bannedCalls: Check = {
  name: 'banned-calls',
  run(tree) {
    return packagesOf(tree)
      .filter(({ dir }) => dir.startsWith('packages/'))
      .flatMap(({ dir }) => sourcesOf(tree, dir))
      .flatMap(([path, source]) => {
        const letIn = LET_IN.find(({ folder }) => path.startsWith(folder))?.kinds ?? [];
        const { code, text } = mask(source);
        return [...find(MODULES, text, path, letIn), ...find(CALLS, code, path, letIn)];
      });
  },
};

function find(
  bans: readonly Ban[],
  text: string,
  path: string,
  letIn: readonly Kind[],
): Violation[] {
  return bans
    .filter(({ kind }) => !letIn.includes(kind))
    .flatMap(({ pattern, instead }) =>
      [...text.matchAll(pattern)].map((match) => ({
        check: 'banned-calls',
        path,
        line: lineAt(text, match.index),
        message: `expected ${instead}, got ${match[0]}: take it from the injected environment`,
      })),
    );
}
