/** Programs that run in a process of their own use the packages as they are built. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folders of the packages that `@nendb/wal` consists of. */
export const PACKAGES = ['codec', 'vfs', 'wal'].map((name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url)),
);

/** Whether `npm run build` has been run. */
export const isBuilt = PACKAGES.every((folder) => existsSync(`${folder}/dist/index.js`));

/** The URL of what `import '@nendb/wal'` loads. */
export const WAL_URL = new URL('../dist/index.js', import.meta.url).href;
