/** What the terminal makes of the typed errors of the packages below. */
import type { SnapshotErrorCode } from '@nendb/snapshot';
import type { WalErrorCode } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import { ExitCode, toCliError } from '../src/errors.js';

type Row = [code: WalErrorCode | SnapshotErrorCode, exitCode: ExitCode, hint: RegExp];

const ROWS: Row[] = [
  ['WAL_WRONG_KEY', ExitCode.failure, /nothing is damaged .* give the key/],
  ['SNAPSHOT_WRONG_KEY', ExitCode.failure, /nothing is damaged .* give the key/],
  ['SNAPSHOT_NO_KEY', ExitCode.failure, /nothing is damaged .* give the key/],
  ['WAL_NOT_ENCRYPTED', ExitCode.failure, /without a key/],
  ['SNAPSHOT_NOT_ENCRYPTED', ExitCode.failure, /without a key/],
  ['WAL_BUSY', ExitCode.failure, /try again/],
  ['SNAPSHOT_CHANGED', ExitCode.failure, /try again/],
  ['WAL_LEASE_LOST', ExitCode.failure, /start again from a snapshot/],
  ['WAL_FULL', ExitCode.failure, /free disk space/],
  ['SNAPSHOT_NO_SPACE', ExitCode.failure, /free disk space/],
  ['WAL_LOCKED', ExitCode.locked, /stop that process/],
  ['WAL_CORRUPT', ExitCode.corrupt, /restore a backup/],
  ['WAL_READ_ONLY', ExitCode.corrupt, /restore a backup/],
  ['WAL_MISSING_SEGMENT', ExitCode.corrupt, /restore a backup/],
  ['SNAPSHOT_CORRUPT', ExitCode.corrupt, /restore a backup/],
  ['WAL_TOO_NEW', ExitCode.failure, /newer release/],
  ['SNAPSHOT_TOO_NEW', ExitCode.failure, /newer release/],
];

describe('an error of the packages below', () => {
  test.each(ROWS)('%s ends with exit code %i and a way out', (code, exitCode, hint) => {
    const error = Object.assign(new Error('what was expected and what came'), { code });
    expect(toCliError(error)).toMatchObject({
      code,
      exitCode,
      message: 'what was expected and what came',
      hint: expect.stringMatching(hint),
    });
  });

  test('without a code, or with one that nobody knows, is a plain failure', () => {
    expect(toCliError(new Error('x'))).toMatchObject({
      code: 'FAILURE',
      exitCode: 1,
      message: 'x',
    });
    const strange = Object.assign(new Error('x'), { code: 'WAL_STRANGE' });
    expect(toCliError(strange)).toMatchObject({ code: 'WAL_STRANGE', exitCode: 1 });
    expect(toCliError('thrown text')).toMatchObject({ code: 'FAILURE', message: 'thrown text' });
  });
});
