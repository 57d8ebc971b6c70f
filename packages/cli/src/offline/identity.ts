/** Whose directory it is, or that it is nobody's. */
import {
  EngineError,
  IDENTITY_FILE,
  type Identity,
  readIdentity,
  WAL_DIRECTORY,
} from '@nendb/engine';
import type { Vfs } from '@nendb/vfs';
import { CliError, ExitCode } from '../errors.js';

/** What the names of images, temporary ones included, begin with. */
const SNAPSHOT_FILE = 'nendb.snapshot';

/**
 * The identity of `dir`. Throws `CliError` `NOT_FOUND` where no database was ever made there, and
 * `EngineError`: `ENGINE_TOO_NEW`, or `ENGINE_CORRUPT` where the identity is damaged, or is missing
 * beside what only a database leaves. The server refuses the same directories for the same reasons.
 */
export async function readDirectoryIdentity(dir: string, vfs: Vfs): Promise<Identity> {
  // Names come first: a database that is being made has its identity before it has a log.
  const names = await vfs.readdir(dir);
  const identity = await readIdentity(vfs, dir);
  if (identity !== undefined) return identity;
  const artefact = names.find((name) => name === WAL_DIRECTORY || name.startsWith(SNAPSHOT_FILE));
  if (artefact !== undefined) {
    throw new EngineError(
      'ENGINE_CORRUPT',
      `expected ${dir}/${IDENTITY_FILE} beside ${artefact}, it is missing: restore it from a backup of the directory`,
    );
  }
  throw new CliError(
    ExitCode.notFound,
    'NOT_FOUND',
    `expected a database in ${dir}, got a directory without IDENTITY`,
    'name the directory of a database with --dir; nen serve --dir makes a new one',
  );
}
