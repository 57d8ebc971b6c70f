/**
 * Which database a command is about: a server behind an address, or a directory that nobody holds.
 *
 *     --url given ................................... that server
 *     --dir (or NENDB_DIR, or ./data) is held ....... the address in its LOCK
 *     it is there and not held ...................... the directory itself
 *     it is not there, and was not asked for ........ redis://127.0.0.1:6379
 *     it is not there, and was asked for ............ not found
 *
 * Looking takes no lock and writes nothing.
 */
import { isAbsolute, join, normalize } from 'node:path';
import type { Vfs } from '@nendb/vfs';
import * as z from 'zod/mini';
import { type Address, parseAddress } from './address.js';
import type { CommandContext } from './command.js';
import { CliError, ExitCode, usageError } from './errors.js';
import { settledLock } from './lock.js';
import { printWarning } from './output/error.js';
import { readPassword } from './password.js';

const DIR_DEFAULT = './data';
const URL_DEFAULT = 'redis://127.0.0.1:6379';

export interface OnlineTarget {
  readonly kind: 'online';
  readonly address: Address;
  /** How the address was found, for error messages. */
  readonly foundBy: string;
}

export interface OfflineTarget {
  readonly kind: 'offline';
  /** Absolute path of a directory that exists. */
  readonly dir: string;
}

export type Target = OnlineTarget | OfflineTarget;

const TargetOptions = z.object({
  url: z.optional(z.string().check(z.minLength(1))),
  dir: z.optional(z.string().check(z.minLength(1))),
  'password-file': z.optional(z.string().check(z.minLength(1))),
});

/**
 * Finds the target that the flags of `context` name. Throws `CliError`: `USAGE`, `NOT_FOUND`, or
 * `VFS_LOCKED` for a directory whose owner cannot be reached by an address.
 */
export async function findTarget(context: CommandContext, vfs: Vfs): Promise<Target> {
  const options = readTargetOptions(context);
  if (options.url !== undefined) {
    const address = parseAddress(options.url, '--url');
    if (address.password !== undefined) {
      printWarning(
        context.io,
        'a password in --url can be seen in the list of processes; use --password-file',
      );
    }
    return online(context, options['password-file'], address, '--url');
  }
  const dir = resolvePath(context, options.dir ?? DIR_DEFAULT);
  const stat = await vfs.stat(dir);
  if (stat === undefined && options.dir === undefined) {
    const foundBy = `the default, as there is no ${DIR_DEFAULT}`;
    return online(context, options['password-file'], parseAddress(URL_DEFAULT, foundBy), foundBy);
  }
  assertDirectory(dir, stat?.kind);
  const lock = await settledLock(join(dir, 'LOCK'), vfs);
  if (!lock.held) return { kind: 'offline', dir };
  if (lock.owner?.address === undefined) throw lockedWithoutAddress(dir, lock.owner?.pid);
  const foundBy = `LOCK in ${dir}`;
  return online(
    context,
    options['password-file'],
    parseAddress(lock.owner.address, foundBy),
    foundBy,
  );
}

/** The directory that `--dir` names, for commands that only read its files. `NOT_FOUND` if missing. */
export async function findDirectory(context: CommandContext, vfs: Vfs): Promise<string> {
  const dir = resolvePath(context, readTargetOptions(context).dir ?? DIR_DEFAULT);
  assertDirectory(dir, (await vfs.stat(dir))?.kind);
  return dir;
}

function readTargetOptions(context: CommandContext): z.infer<typeof TargetOptions> {
  const result = TargetOptions.safeParse(context.options);
  if (result.success) return result.data;
  const flag = String(result.error.issues[0].path[0]);
  throw usageError(`expected a value for --${flag}, got an empty one`, `write --${flag} <value>`);
}

async function online(
  context: CommandContext,
  passwordFile: string | undefined,
  address: Address,
  foundBy: string,
): Promise<OnlineTarget> {
  const password =
    address.password ??
    (await readPassword(
      passwordFile === undefined ? undefined : resolvePath(context, passwordFile),
      context.io.env,
    ));
  return { kind: 'online', address: { ...address, password }, foundBy };
}

function assertDirectory(dir: string, kind: 'file' | 'directory' | 'other' | undefined): void {
  if (kind === 'directory') return;
  throw new CliError(
    ExitCode.notFound,
    'NOT_FOUND',
    `expected a data directory at ${dir}, got ${kind === undefined ? 'nothing there' : `a ${kind}`}`,
    'name the directory with --dir or a server with --url; nen serve makes a new directory',
  );
}

function lockedWithoutAddress(dir: string, pid: number | undefined): CliError {
  return new CliError(
    ExitCode.locked,
    'VFS_LOCKED',
    `expected ${dir} to be free or held by a server, got ${pid === undefined ? 'an unknown process' : `process ${pid}`} that holds it and publishes no address`,
    'it is still starting, or a program that embeds the database: wait for it, or stop it',
  );
}

function resolvePath(context: CommandContext, path: string): string {
  return isAbsolute(path) ? normalize(path) : join(context.io.cwd, path);
}
