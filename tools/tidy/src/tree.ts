/**
 * The repository as text: path -> content. Checks see nothing else, so that a test can plant a
 * violation in a tree of three files.
 *
 * Paths are relative to the root, with forward slashes. Built and installed files are left out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Tree = ReadonlyMap<string, string>;

const TOP_FOLDERS = ['packages', 'apps', 'tools', 'docs'];
const LEFT_OUT = new Set(['node_modules', 'dist', 'fixtures', 'coverage']);
/** The script of continuous integration: it starts programs, as the root's manifest does. */
export const CI_SCRIPT = '.ci/run';
const TEXT_FILE = /\.(?:ts|mts|js|mjs|json|md)$/;

/** Reads the text files of the repository in `root`. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        const inside = folder === '' ? TOP_FOLDERS.includes(entry.name) : true;
        if (inside && !LEFT_OUT.has(entry.name) && !entry.name.startsWith('.')) walk(path);
      } else if (TEXT_FILE.test(entry.name)) {
        tree.set(path, readFileSync(join(root, path), 'utf8'));
      }
    }
  };
  walk('');
  if (existsSync(join(root, CI_SCRIPT))) {
    tree.set(CI_SCRIPT, readFileSync(join(root, CI_SCRIPT), 'utf8'));
  }
  return tree;
}
