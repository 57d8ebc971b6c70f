/** The packages of the workspace, as their manifests declare them. */
import type { Tree } from './tree.js';

export interface WorkspacePackage {
  /** `packages/wal`. */
  dir: string;
  /** `@nendb/wal`. */
  name: string;
  dependencies: readonly string[];
  /** What other packages may import: `.` and named subpaths, with the source file of each. */
  exports: ReadonlyMap<string, string>;
  /** Files that `bin` names. */
  bins: readonly string[];
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  exports?: Record<string, string | Record<string, string>>;
  bin?: string | Record<string, string>;
}

const MANIFEST = /^((?:packages|apps|tools)\/[^/]+)\/package\.json$/;

export function packagesOf(tree: Tree): WorkspacePackage[] {
  const found: WorkspacePackage[] = [];
  for (const [path, text] of tree) {
    const dir = MANIFEST.exec(path)?.[1];
    if (dir === undefined) continue;
    const manifest = JSON.parse(text) as Manifest;
    const bin = manifest.bin ?? {};
    found.push({
      dir,
      name: manifest.name,
      dependencies: Object.keys(manifest.dependencies ?? {}),
      exports: new Map(
        Object.entries(manifest.exports ?? {}).map(([subpath, target]) => [
          subpath,
          inside(dir, typeof target === 'string' ? target : (target['@nendb/source'] ?? '')),
        ]),
      ),
      bins: (typeof bin === 'string' ? [bin] : Object.values(bin)).map((file) => inside(dir, file)),
    });
  }
  return found;
}

/** The source modules of a package: what it ships. */
export function sourcesOf(tree: Tree, dir: string): [path: string, text: string][] {
  return [...tree].filter(([path]) => path.startsWith(`${dir}/src/`) && path.endsWith('.ts'));
}

function inside(dir: string, file: string): string {
  return `${dir}/${file.replace(/^\.\//, '')}`;
}
