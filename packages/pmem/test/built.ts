/** Threads and processes of their own use the packages as they are built. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Whether `npm run build` has been run. */
export const isBuilt = ['pmem', 'vfs'].every((name) =>
  existsSync(fileURLToPath(new URL(`../../${name}/dist/index.js`, import.meta.url))),
);

/** The URL of what `import '@nendb/pmem'` loads. */
export const PMEM_URL = new URL('../dist/index.js', import.meta.url).href;
