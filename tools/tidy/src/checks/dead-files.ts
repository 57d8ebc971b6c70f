/**
 * Every source file can be reached from an entry point: what a package exports, its `bin`, what a
 * script of the root or of continuous integration starts, and, for tools, `src/index.ts` and
 * `src/main.ts`. Imports, dynamic imports and modules started by `new URL('./x.js',
 * import.meta.url)` lead on from there.
 */
import { importsOf, resolveRelative } from '../imports.js';
import { packagesOf, sourcesOf } from '../packages.js';
import { CI_SCRIPT, type Tree } from '../tree.js';
import type { Check } from '../violation.js';

export const deadFiles: Check = {
  name: 'dead-files',
  run(tree) {
    const reached = reach(tree, entryPoints(tree));
    return packagesOf(tree)
      .flatMap(({ dir }) => sourcesOf(tree, dir))
      .filter(([path]) => !reached.has(path))
      .map(([path]) => ({
        check: 'dead-files',
        path,
        message: 'expected to be reached from an entry point, got no import: use it or remove it',
      }));
  },
};

function entryPoints(tree: Tree): string[] {
  const entries = packagesOf(tree).flatMap(({ dir, exports, bins }) => [
    ...exports.values(),
    ...bins,
    ...(dir.startsWith('tools/') ? [`${dir}/src/index.ts`, `${dir}/src/main.ts`] : []),
  ]);
  const scripts = `${tree.get('package.json') ?? ''}\n${tree.get(CI_SCRIPT) ?? ''}`;
  for (const [, dir, file] of scripts.matchAll(
    /\b((?:apps|tools)\/[\w-]+)\/dist\/([\w/-]+)\.js/g,
  )) {
    entries.push(`${dir}/src/${file}.ts`);
  }
  return entries;
}

function reach(tree: Tree, entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = entries.filter((path) => tree.has(path));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(tree.get(path) ?? '')) {
      if (!specifier.startsWith('.')) continue;
      const target = resolveRelative(tree, path, specifier);
      if (target !== undefined) open.push(target);
    }
  }
  return reached;
}
