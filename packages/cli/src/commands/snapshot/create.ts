/**
 * `nen snapshot create`: an image of now, on disk when the command ends. Online the server writes it
 * (SAVE); offline the directory is opened with its lock.
 */
import { nodeVfs } from '@nendb/vfs';
import { Client, throwIfError } from '../../client.js';
import type { CommandContext, CommandHandler } from '../../command.js';
import { ExitCode } from '../../errors.js';
import { ANSWER_TIMEOUT_MS } from '../../limits.js';
import { printWarning } from '../../output/error.js';
import { SCHEMA_VERSION, toJson } from '../../output/json.js';
import { findTarget, type OnlineTarget } from '../../target.js';
import { readStatus } from '../status.js';

/** What is told of a new image. */
interface Created {
  readonly file: string | null;
  /** Decimal. */
  readonly lsn: string | null;
  readonly file_bytes: number;
}

export const handler: CommandHandler = async (context) => {
  const { io, json } = context;
  const target = await findTarget(context, nodeVfs);
  const created =
    target.kind === 'online'
      ? await createOnline(target, context)
      : await createOffline(target.dir);
  const { file, lsn, file_bytes } = created;
  if (json) {
    io.stdout.write(toJson({ schema_version: SCHEMA_VERSION, file, lsn, file_bytes }));
  } else {
    io.stdout.write(`${file}: LSN ${lsn}, ${file_bytes} bytes\n`);
  }
  return ExitCode.ok;
};

async function createOnline(target: OnlineTarget, { io }: CommandContext): Promise<Created> {
  const client = await Client.connect(target.address, {
    foundBy: target.foundBy,
    onWarning: (text) => printWarning(io, text),
  });
  try {
    throwIfError(await client.call(['SAVE']));
    return (await readStatus(client, target.foundBy, ANSWER_TIMEOUT_MS)).snapshot;
  } finally {
    client.close();
  }
}

async function createOffline(dir: string): Promise<Created> {
  const { withDirectory } = await import('../../offline/session.js');
  const info = await withDirectory(dir, 2, ({ engine }) => engine.snapshot());
  return {
    file: info.file,
    lsn: String(info.header.lsn),
    file_bytes: info.fileBytes,
  };
}
