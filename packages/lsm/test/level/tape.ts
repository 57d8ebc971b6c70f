/**
 * Runs tests written for tape within a test of ours: everything that they assert is counted, and what fails is
 * named.
 *
 * The suite of abstract-level wants tape's `test` function; a harness of its own keeps it from printing and from
 * ending the process.
 */
import { createRequire } from 'node:module';

/** `tape`'s harness, as far as it is used here. */
type Harness = (name: string, body: (t: unknown) => unknown) => void;

interface Row {
  type: string;
  id?: number;
  test?: number;
  name?: string;
  ok?: boolean;
  error?: unknown;
  skip?: unknown;
  todo?: unknown;
}

/** A stream of the kind that came before async iteration. */
interface RowStream {
  on(event: 'data', listener: (row: Row) => void): void;
  on(event: 'end' | 'error', listener: (error?: unknown) => void): void;
}

interface Tape {
  createHarness(options: { autoclose: boolean }): Harness & {
    createStream(options: { objectMode: true }): RowStream;
  };
}

export interface TapeResults {
  tests: number;
  assertions: number;
  /** `test: assertion`, and what is known of why. */
  failures: string[];
  skipped: string[];
}

const tape = createRequire(import.meta.url)('tape') as Tape;

/** Lets `define` register its tests, runs them one after the other, and says how they went. */
export async function runTape(define: (test: Harness) => void): Promise<TapeResults> {
  const harness = tape.createHarness({ autoclose: true });
  const rows = harness.createStream({ objectMode: true });
  const results: TapeResults = { tests: 0, assertions: 0, failures: [], skipped: [] };
  const names = new Map<number, string>();
  const ended = new Promise<unknown>((resolve, reject) => {
    rows.on('end', resolve);
    rows.on('error', reject);
  });
  rows.on('data', (row) => {
    if (row.type === 'test') {
      results.tests++;
      names.set(row.id ?? 0, row.name ?? '');
      if (row.skip) results.skipped.push(row.name ?? '');
    }
    if (row.type !== 'assert') return;
    results.assertions++;
    const where = `${names.get(row.test ?? 0)}: ${row.name}`;
    if (row.skip) results.skipped.push(where);
    if (row.ok !== true) results.failures.push(`${where} ${String(row.error ?? '')}`);
  });
  define(harness);
  await ended;
  return results;
}
