/**
 * The password file: its first line, kept as a SHA-256 digest only.
 *
 * The buffer it was read into is zeroed. A file that others may read is reported, not refused:
 * container secrets are often mounted that way.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { PasswordDigest } from '@nendb/commands';
import { ConfigError } from './config.js';
import { PASSWORD_FILE_BYTES_MAX } from './limits.js';

const GROUP_AND_OTHERS = 0o077;
const LF = 10;
const CR = 13;

export interface ServerPassword {
  digest: PasswordDigest;
  /** Whether others than the owner may read the file. */
  exposed: boolean;
}

/** @throws ConfigError when there is no such file, or no password in it. */
export function readPasswordFile(path: string): ServerPassword {
  const buffer = Buffer.alloc(PASSWORD_FILE_BYTES_MAX + 1);
  try {
    const file = open(path);
    let length = 0;
    let exposed = false;
    try {
      length = readSync(file, buffer, 0, buffer.length, 0);
      exposed = (fstatSync(file).mode & GROUP_AND_OTHERS) !== 0;
    } catch (error) {
      throw bad(path, `a failed read (${(error as Error).message})`);
    } finally {
      closeSync(file);
    }
    if (length > PASSWORD_FILE_BYTES_MAX) {
      throw bad(path, `more than ${PASSWORD_FILE_BYTES_MAX} bytes`);
    }
    const newline = buffer.subarray(0, length).indexOf(LF);
    let end = newline < 0 ? length : newline;
    if (end > 0 && buffer[end - 1] === CR) end--;
    if (end === 0) throw bad(path, 'an empty first line');
    return { digest: new PasswordDigest(buffer.subarray(0, end)), exposed };
  } finally {
    buffer.fill(0);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw bad(path, `${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
  }
}

function bad(path: string, came: string): ConfigError {
  return new ConfigError(
    'CONFIG_BAD_VALUE',
    `--requirepass-file ${path}: expected a readable file whose first line is the password, came ${came}; make it with mode 0600, or leave the option out`,
  );
}
