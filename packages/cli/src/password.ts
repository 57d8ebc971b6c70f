/**
 * Where the password comes from: a file, else `NENDB_PASSWORD`. Never from a flag's value, never
 * printed; a JavaScript string cannot be wiped from memory, so the process should be short-lived.
 */
import { open } from 'node:fs/promises';
import { CliError, codeOf, ExitCode, usageError } from './errors.js';
import { PASSWORD_FILE_BYTES_MAX } from './limits.js';

/**
 * Reads the password: the first line of `file`, else `NENDB_PASSWORD`, else `undefined`. Throws
 * `CliError`: `PASSWORD_FILE` for a file that cannot be read, `USAGE` for one that holds none.
 */
export async function readPassword(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (file === undefined) return env.NENDB_PASSWORD === '' ? undefined : env.NENDB_PASSWORD;
  const text = await readSmallFile(file);
  const password = text.split(/\r?\n/, 1)[0];
  if (password === '') {
    throw usageError(
      `expected a password in the first line of ${file}, got an empty line`,
      'write the password there, or leave the flag out',
    );
  }
  return password;
}

async function readSmallFile(file: string): Promise<string> {
  const target = Buffer.alloc(PASSWORD_FILE_BYTES_MAX + 1);
  let bytes: number;
  try {
    const handle = await open(file, 'r');
    try {
      ({ bytesRead: bytes } = await handle.read(target, 0, target.length, 0));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new CliError(
      ExitCode.failure,
      'PASSWORD_FILE',
      `expected a readable password file at ${file}, got ${codeOf(error) ?? String(error)}`,
      'check the path and its permissions (0600, owned by you)',
    );
  }
  if (bytes > PASSWORD_FILE_BYTES_MAX) {
    throw usageError(
      `expected a password file of at most ${PASSWORD_FILE_BYTES_MAX} bytes, got more in ${file}`,
      'check the path',
    );
  }
  return target.toString('utf8', 0, bytes);
}
