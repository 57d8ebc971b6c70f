/**
 * Adds up the JSON reports of test runs and prints `N passed, N failed, N skipped` as the last
 * line. Fails when a test failed, when none passed, or when a report is missing.
 */
import { readFileSync } from 'node:fs';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numFailedTestSuites: number;
}

let passed = 0;
let failed = 0;
let skipped = 0;
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  passed += report.numPassedTests;
  // A file that does not load has no tests to fail, yet it has failed.
  failed += Math.max(report.numFailedTests, report.numFailedTestSuites > 0 ? 1 : 0);
  skipped += report.numPendingTests + report.numTodoTests;
}
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
