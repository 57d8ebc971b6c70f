/** Threads and processes of their own use the packages as they are built. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Whether `npm run build` has been run. */
export const isBuilt = ['dash-hash', 'pmem', 'vfs'].every((name) =>
  existsSync(fileURLToPath(new URL(`../../${name}/dist/index.js`, import.meta.url))),
);

/** The URL of a built file of this package, and of what `import '@nendb/pmem'` loads. */
export const dashUrl = (file: string) => new URL(`../dist/${file}`, import.meta.url).href;
export const PMEM_URL = new URL('../../pmem/dist/index.js', import.meta.url).href;
