/** Whose directory it is, or that it is nobody's. */
import { type Identity, readIdentity } from '@nendb/engine';
import type { Vfs } from '@nendb/vfs';
import { CliError, ExitCode } from '../errors.js';

/**
 * The identity of `dir`. Throws `CliError` `NOT_FOUND` where no database was ever made there, and
 * `EngineError` as `readIdentity` does: what the server refuses is refused for the same reasons.
 */
export async function readDirectoryIdentity(dir: string, vfs: Vfs): Promise<Identity> {
  const identity = await readIdentity(vfs, dir);
  if (identity !== undefined) return identity;
  throw new CliError(
    ExitCode.notFound,
    'NOT_FOUND',
    `expected a database in ${dir}, got a directory without IDENTITY`,
    'name the directory of a database with --dir; nen serve --dir makes a new one',
  );
}
