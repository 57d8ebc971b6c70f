/** Packages know only whom the table lets them know, by name, and through what is exported. */
import { posix } from 'node:path';
import { type Import, importsOf, packageOf } from '../imports.js';
import { LAYERS, SCOPE } from '../layers.js';
import { packagesOf, sourcesOf, type WorkspacePackage } from '../packages.js';
import type { Tree } from '../tree.js';
import type { Check, Violation } from '../violation.js';

export const layering: Check = {
  name: 'layering',
  run(tree) {
    const packages = packagesOf(tree);
    const byName = new Map(packages.map((each) => [each.name, each]));
    return packages.flatMap((each) => [
      ...checkManifest(each),
      ...checkSources(tree, each, byName),
      ...checkTests(tree, each),
    ]);
  },
};

function allowed(dir: string): ReadonlySet<string> | undefined {
  if (dir.startsWith('tools/')) return undefined;
  return new Set(LAYERS[dir]?.mayKnow.map((name) => SCOPE + name) ?? []);
}

function checkManifest({ dir, dependencies }: WorkspacePackage): Violation[] {
  const path = `${dir}/package.json`;
  if (!dir.startsWith('tools/') && LAYERS[dir] === undefined) {
    const message = `expected a place in the table of layers, got none: give ${dir} one in layers.ts`;
    return [{ check: 'layering', path, message }];
  }
  const may = allowed(dir);
  return dependencies
    .filter((name) => name.startsWith(SCOPE) && may?.has(name) === false)
    .map((name) => ({ check: 'layering', path, message: mayNotKnow(dir, name) }));
}

function checkSources(
  tree: Tree,
  each: WorkspacePackage,
  byName: ReadonlyMap<string, WorkspacePackage>,
): Violation[] {
  const may = allowed(each.dir);
  const judge = (path: string, { specifier }: Import): string | undefined => {
    if (specifier.startsWith('node:')) return undefined;
    if (specifier.startsWith('.')) {
      const target = posix.join(posix.dirname(path), specifier);
      if (target.startsWith(`${each.dir}/`)) return undefined;
      return `expected imports of other packages by name, got the path ${specifier}`;
    }
    const name = packageOf(specifier);
    if (name.startsWith(SCOPE)) {
      if (may?.has(name) === false) return mayNotKnow(each.dir, name);
      const subpath = `.${specifier.slice(name.length)}`;
      if (byName.get(name)?.exports.has(subpath) === false) {
        return `expected something that ${name} exports, got ${specifier}: export it in its package.json`;
      }
    }
    if (each.dependencies.includes(name)) return undefined;
    return `expected ${name} among the dependencies in ${each.dir}/package.json: declare it`;
  };
  return sourcesOf(tree, each.dir).flatMap(([path, text]) =>
    importsOf(text).flatMap((each) => {
      const message = judge(path, each);
      return message === undefined ? [] : [{ check: 'layering', path, line: each.line, message }];
    }),
  );
}

/** Tests may use what they like, but no package's insides other than their own. */
function checkTests(tree: Tree, { dir }: WorkspacePackage): Violation[] {
  const violations: Violation[] = [];
  for (const [path, text] of tree) {
    if (!path.startsWith(`${dir}/test/`) || !path.endsWith('.ts')) continue;
    for (const { specifier, line } of importsOf(text)) {
      const target = posix.join(posix.dirname(path), specifier);
      const foreign = specifier.startsWith('.') && !target.startsWith(`${dir}/`);
      const inside = specifier.startsWith(SCOPE) && specifier.includes('/src/');
      if (!inside && !(foreign && target.includes('/src/'))) continue;
      const message = `expected only the insides of ${dir}, got ${specifier}: use what is exported`;
      violations.push({ check: 'layering', path, line, message });
    }
  }
  return violations;
}

function mayNotKnow(dir: string, name: string): string {
  const known = LAYERS[dir]?.mayKnow.join(', ') || 'none of our packages';
  return `expected ${dir} to know ${known}, got ${name}: turn the dependency around`;
}
