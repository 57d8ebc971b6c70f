/**
 * `npm run bench -- <suite>`: runs a suite and prints its table. A goal that is missed is said to be
 * missed; the exit code is 0 all the same, since a busy machine is no defect.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Row, renderTable } from './table.js';

/** A suite measures in `dir` and reports rows as it goes. */
export type Suite = (dir: string, report: (row: Row) => void) => Promise<void>;

const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  wal: () => import('./wal/suite.js'),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { dir: { type: 'string' } },
});
const [name] = positionals;
if (!Object.hasOwn(SUITES, name ?? '')) {
  process.stderr.write(
    `expected a suite out of ${Object.keys(SUITES).join(', ')}, got ${name ?? 'nothing'}\n`,
  );
  process.exit(2);
}

const dir = mkdtempSync(join(values.dir ?? tmpdir(), 'nendb-bench-'));
try {
  const { suite } = await SUITES[name]();
  const rows: Row[] = [];
  await suite(dir, (row) => {
    rows.push(row);
    process.stderr.write(`${row.name}: ${row.measured} (${row.ratio})\n`);
  });
  process.stdout.write(`${renderTable(rows)}\n`);
  const missed = rows.filter((row) => row.met === false).length;
  process.stdout.write(`${rows.filter((row) => row.met).length} goals met, ${missed} missed\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
