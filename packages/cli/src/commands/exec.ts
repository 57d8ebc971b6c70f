/**
 * `nen exec <command> [argument…]`: one Redis command, through the server or on the directory itself.
 *
 * Offline the directory is opened as the server would open it (lock, recovery, log), and the reply
 * is printed when the write is on disk.
 */

import { type Reply, RespError } from '@nendb/resp';
import { nodeVfs } from '@nendb/vfs';
import { parseDatabase } from '../address.js';
import { Client, serverError, throwIfError } from '../client.js';
import type { CommandContext, CommandHandler } from '../command.js';
import { CliError, ExitCode } from '../errors.js';
import { printWarning } from '../output/error.js';
import { toJson } from '../output/json.js';
import { formatRaw, formatText, formatTyped, replyToJson } from '../output/reply.js';
import { findTarget, type OnlineTarget } from '../target.js';

export const handler: CommandHandler = async (context) => {
  const { db } = context.options;
  const database = typeof db === 'string' ? parseDatabase(db, '--db') : undefined;
  const target = await findTarget(context, nodeVfs);
  const reply =
    target.kind === 'online'
      ? await callServer(target, database, context)
      : await callDirectory(target.dir, database ?? 0, context);
  if (reply === undefined) return ExitCode.ok;
  if (reply instanceof RespError) throw serverError(reply);
  print(reply, context);
  return ExitCode.ok;
};

/** `undefined` where the server, as asked, ended before it could reply. */
async function callServer(
  target: OnlineTarget,
  database: number | undefined,
  { args, json, io }: CommandContext,
): Promise<Reply | undefined> {
  const client = await Client.connect(target.address, {
    foundBy: target.foundBy,
    protocol: json ? 3 : 2,
    database,
    onWarning: (text) => printWarning(io, text),
  });
  try {
    return await client.call(args);
  } catch (error) {
    const cutOff = error instanceof CliError && error.code === 'CONNECTION_CLOSED';
    if (cutOff && isShutdown(args)) return undefined;
    throw error;
  } finally {
    client.close();
  }
}

async function callDirectory(
  dir: string,
  database: number,
  { args, json }: CommandContext,
): Promise<Reply> {
  if (isShutdown(args)) {
    throw new CliError(
      ExitCode.failure,
      'NOT_RUNNING',
      `expected a running server, got the directory ${dir}, which no process holds`,
      'there is nothing to shut down',
    );
  }
  const { withDirectory } = await import('../offline/session.js');
  return withDirectory(dir, json ? 3 : 2, async ({ client }) => {
    if (database !== 0) throwIfError(await client.send(['SELECT', database]));
    return client.send(args);
  });
}

function isShutdown([command]: readonly string[]): boolean {
  return command.toUpperCase() === 'SHUTDOWN';
}

function print(reply: Reply, { io, json, args }: CommandContext): void {
  if (json) io.stdout.write(toJson(replyToJson(reply)));
  else if (!io.stdout.isTty) io.stdout.write(formatRaw(reply));
  else io.stdout.write(isText(args) ? formatText(reply) : formatTyped(reply));
}

/** Commands whose one string is a page of text for people, as redis-cli knows them too. */
const TEXT_COMMANDS = ['CLIENT INFO', 'CLIENT LIST', 'INFO', 'NENDB STATUS'];

function isText(args: readonly string[]): boolean {
  const words = args.map((word) => word.toUpperCase());
  return TEXT_COMMANDS.some((text) => text.split(' ').every((word, at) => words[at] === word));
}
