/** Where the built JavaScript of a module is, so that worker threads run without a transpiler. */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = /\/src\/((?:(?!\/src\/).)*)\.(?:ts|js)$/;

/**
 * `.../dist/x.js` for a module under `src/` that exists as TypeScript only (programs run from source
 * name it `x.ts` or `x.js`); any other URL unchanged.
 */
export function builtModule(module: URL): URL {
  if (module.protocol !== 'file:') return module;
  if (module.pathname.endsWith('.js') && fs.existsSync(fileURLToPath(module))) return module;
  return new URL(module.href.replace(SOURCE, '/dist/$1.js'));
}

/** `x.ts` for a module named `x.js` that exists as TypeScript only; any other URL unchanged. */
export function sourceModule(module: URL): URL {
  if (module.protocol !== 'file:' || fs.existsSync(fileURLToPath(module))) return module;
  const source = new URL(module.href.replace(/\.js$/, '.ts'));
  return fs.existsSync(fileURLToPath(source)) ? source : module;
}
