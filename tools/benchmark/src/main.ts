/**
 * `npm run bench -- <suite> [<case> ...]`: runs a suite, or some of its cases, and prints the table. A goal that is missed is said to be
 * missed; the exit code is 0 all the same, since a busy machine is no defect.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Row, renderTable } from './table.js';

/** A case measures in an empty `dir` and reports rows as it goes. */
export type Case = (dir: string, report: (row: Row) => void) => Promise<void>;

/** Its cases by name, in the order of the table. */
export type Suite = Readonly<Record<string, Case>>;

const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  dash: () => import('./dash/suite.js'),
  lsm: () => import('./lsm/suite.js'),
  wal: () => import('./wal/suite.js'),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { dir: { type: 'string' } },
});
const [name, ...wanted] = positionals;
if (!Object.hasOwn(SUITES, name ?? '')) {
  process.stderr.write(
    `expected a suite out of ${Object.keys(SUITES).join(', ')}, got ${name ?? 'nothing'}\n`,
  );
  process.exit(2);
}

const { suite } = await SUITES[name]();
const unknown = wanted.filter((each) => !Object.hasOwn(suite, each));
if (unknown.length > 0) {
  process.stderr.write(
    `expected cases out of ${Object.keys(suite).join(', ')}, got ${unknown.join(', ')}\n`,
  );
  process.exit(2);
}

const dir = mkdtempSync(join(values.dir ?? tmpdir(), 'nendb-bench-'));
try {
  const rows: Row[] = [];
  for (const each of wanted.length > 0 ? wanted : Object.keys(suite)) {
    const own = join(dir, each);
    mkdirSync(own);
    await suite[each](own, (row) => {
      rows.push(row);
      process.stderr.write(`${row.name}: ${row.measured} (${row.ratio})\n`);
    });
    rmSync(own, { recursive: true });
  }
  process.stdout.write(`${renderTable(rows)}\n`);
  const missed = rows.filter((row) => row.met === false).length;
  process.stdout.write(`${rows.filter((row) => row.met).length} goals met, ${missed} missed\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
