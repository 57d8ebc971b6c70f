/**
 * `npm run test:deep -- --minutes N`: the long versions of the tests (`*.deep.ts` in the test
 * folders), each with its share of the time.
 *
 * A deep test reads its share from `NENDB_DEEP_SECONDS`, runs until it has reached the count it
 * aims at or its share is used up, and prints how far it came.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** As many test files run side by side as `vitest.deep.config.ts` says. */
const SIDE_BY_SIDE = 2;
const MINUTES_DEFAULT = 60;

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, report: { type: 'string' } },
});
const minutes = Number(values.minutes ?? MINUTES_DEFAULT);
if (!(minutes > 0)) {
  process.stderr.write(`expected --minutes N with N above 0, got ${values.minutes}\n`);
  process.exit(2);
}

const files = ['packages', 'apps', 'tools'].flatMap((group) =>
  readdirSync(group)
    .map((name) => `${group}/${name}/test`)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    .filter((name) => name.endsWith('.deep.ts')),
);
const rounds = Math.max(1, Math.ceil(files.length / SIDE_BY_SIDE));
const seconds = Math.floor((minutes * 60) / rounds);
process.stdout.write(`${files.length} deep tests, ${seconds} s each\n`);

const reporters = ['--reporter=default'];
if (values.report) reporters.push('--reporter=json', `--outputFile.json=${values.report}`);
const { status } = spawnSync(
  'node_modules/.bin/vitest',
  ['run', '--config', 'vitest.deep.config.ts', ...reporters],
  { stdio: 'inherit', env: { ...process.env, NENDB_DEEP_SECONDS: String(seconds) } },
);
process.exit(status ?? 1);
