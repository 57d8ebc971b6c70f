import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** The long versions of the tests: `npm run test:deep`, which gives each its share of the time. */
const shareMs = Number(process.env.NENDB_DEEP_SECONDS ?? 60) * 1000;

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['{packages,apps,tools}/*/test/**/*.deep.ts'],
    testTimeout: shareMs * 2 + 60_000,
  },
});
