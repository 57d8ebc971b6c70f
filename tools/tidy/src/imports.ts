/** What a module names: imports and re-exports, dynamic imports, and modules started by URL. */
import { posix } from 'node:path';
import { mask } from './mask.js';
import type { Tree } from './tree.js';
import { lineAt } from './violation.js';

export interface Import {
  specifier: string;
  /** From 1. */
  line: number;
}

/** `from '...'`, `import '...'`, `import('...')`, `new URL('...', import.meta.url)`. */
const NAMING = [
  /\bfrom\s*(['"])( *)\1/g,
  /\bimport\s*(['"])( *)\1/g,
  /\bimport\s*\(\s*(['"])( *)\1/g,
  /\bnew\s+URL\s*\(\s*(['"])( *)\1\s*,\s*import\.meta\.url/g,
];

export function importsOf(source: string): Import[] {
  const { code } = mask(source);
  const found: Import[] = [];
  for (const pattern of NAMING) {
    for (const match of code.matchAll(pattern)) {
      const start = match.index + match[0].indexOf(match[1]) + 1;
      const specifier = source.slice(start, start + match[2].length);
      found.push({ specifier, line: lineAt(source, match.index) });
    }
  }
  return found;
}

/** `@nendb/vfs` for `@nendb/vfs/sim`, `zod` for `zod/mini`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

/**
 * The source file that a relative specifier in `path` names: `./x.js` is `x.ts`, `../dist/x.js` is
 * `../src/x.ts`. `undefined` where there is none.
 */
export function resolveRelative(tree: Tree, path: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  const built = target.replace(/^([^/]+\/[^/]+)\/dist\//, '$1/src/');
  const candidates = [target, built, target.replace(/\.js$/, '.ts'), built.replace(/\.js$/, '.ts')];
  return candidates.find((candidate) => tree.has(candidate));
}
