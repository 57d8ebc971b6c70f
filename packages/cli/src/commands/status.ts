/**
 * `nen status`: the state of a server, from the server; of a stopped directory, from its files.
 *
 * A stopped but sound directory is healthy. Exit code 3 only with `--fail-on-unhealthy`, after the
 * whole report. Offline nothing on disk changes and no lock is taken; damage is exit code 6.
 */

import { RespError } from '@nendb/resp';
import { nodeVfs } from '@nendb/vfs';
import { Client, serverError } from '../client.js';
import type { CommandContext, CommandHandler } from '../command.js';
import { CliError, ExitCode } from '../errors.js';
import { ANSWER_TIMEOUT_MS } from '../limits.js';
import type { Inspection } from '../offline/inspect.js';
import { colorsFor } from '../output/colors.js';
import { printWarning } from '../output/error.js';
import { toJson } from '../output/json.js';
import { formatStatus } from '../output/status-text.js';
import { parseStatusDocument, type StatusDocument } from '../status-document.js';
import { findTarget, type OnlineTarget } from '../target.js';

export const handler: CommandHandler = async (context) => {
  const { io, json, options } = context;
  const target = await findTarget(context, nodeVfs);
  const { document, failure } =
    target.kind === 'online'
      ? { document: await askServer(target, context), failure: undefined }
      : await inspectOffline(target.dir);
  io.stdout.write(json ? toJson(document) : formatStatus(document, colorsFor(io, io.stdout)));
  if (failure !== undefined) throw failure;
  const failing = options['fail-on-unhealthy'] === true && !document.healthy;
  return failing ? ExitCode.unhealthy : ExitCode.ok;
};

async function askServer(target: OnlineTarget, { io }: CommandContext): Promise<StatusDocument> {
  const client = await Client.connect(target.address, {
    foundBy: target.foundBy,
    onWarning: (text) => printWarning(io, text),
  });
  try {
    return await readStatus(client, target.foundBy, ANSWER_TIMEOUT_MS);
  } finally {
    client.close();
  }
}

/** Asks for the document over `client`; `origin` names the server in errors. */
export async function readStatus(
  client: Client,
  origin: string,
  timeoutMs: number,
): Promise<StatusDocument> {
  const reply = await client.call(['NENDB', 'STATUS'], timeoutMs);
  if (reply instanceof Uint8Array) {
    return parseStatusDocument(Buffer.from(reply).toString('utf8'), origin);
  }
  if (reply instanceof RespError && !/^ERR unknown command/i.test(reply.message)) {
    throw serverError(reply);
  }
  throw new CliError(
    ExitCode.failure,
    'NOT_NENDB',
    `expected a NenDB server (${origin}), got one that does not know NENDB STATUS`,
    'name the right server with --url, or the directory with --dir',
  );
}

async function inspectOffline(dir: string): Promise<Inspection> {
  const { inspectDirectory } = await import('../offline/inspect.js');
  return inspectDirectory(dir, nodeVfs);
}
