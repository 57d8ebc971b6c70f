/**
 * Checkpoints and checks: what is done with whole files while the tree is in use. A pinned version keeps them there.
 */
import { errorCode, joinPath, makeDirectory, replaceFile, type Task } from '@nendb/vfs';
import { Wal, WalError } from '@nendb/wal';
import { LsmError } from '../errors.js';
import { ioError, readError } from '../io-error.js';
import { KEYRING_FILE, LOG_DIR, MANIFEST_FILE, tableFile, valueFile } from '../manifest/format.js';
import { readManifest } from '../manifest/manifest-reader.js';
import { ManifestWriter } from '../manifest/manifest-writer.js';
import type { LsmVerification } from '../types.js';
import { wholeState } from '../version/version-set.js';
import type { Core } from './core.js';
import type { FileMethods, FileTaskInit } from './file-task.js';

/**
 * Copies everything that is flushed into `dir`, which must be missing or empty: a tree of its own from then on.
 * It exists when its manifest does, which is written last. Rejects with `LSM_BAD_OPTION`, `LSM_IO`, `LSM_FULL`.
 */
export async function writeCheckpoint(core: Core, dir: string): Promise<void> {
  const { vfs, versions, databaseUuid, keys } = core;
  const version = versions.pin();
  const state = versions.describe();
  try {
    await makeDirectory(vfs, dir);
    const found = await vfs.readdir(dir);
    if (found.length > 0) {
      throw new LsmError(
        'LSM_BAD_OPTION',
        `expected an empty directory for a checkpoint, got ${dir} with ${found[0]} in it: name another`,
      );
    }
    await withFileTask(core, async (call) => {
      for (const number of version.tables.keys()) await copy(call, dir, tableFile(number));
      for (const number of version.valueFiles.keys()) await copy(call, dir, valueFile(number));
    });
    if (keys !== undefined) {
      await replaceFile(vfs, joinPath(dir, KEYRING_FILE), keys.encode());
    }
    await vfs.syncDir(dir);
    // The copy begins a log of its own: its first record is the next sequence number.
    state.log = { base: state.flushedSequence, started: false };
    const manifest = await ManifestWriter.create(
      { vfs, dir, databaseUuid, keys },
      wholeState(state),
    );
    await manifest.close();
  } catch (error) {
    throw ioError(error, `the checkpoint in ${dir}`, 'it is none, remove it');
  } finally {
    versions.unpin(version);
  }
}

/** Reads every byte of every file; says what is wrong instead of throwing. */
export async function verifyFiles(core: Core): Promise<LsmVerification> {
  const { vfs, versions, options, keys } = core;
  const problems: LsmVerification['problems'][number][] = [];
  let bytes = 0;
  const look = async (file: string, work: () => Promise<number>): Promise<void> => {
    try {
      bytes += await work();
    } catch (error) {
      problems.push(problemOf(file, error));
    }
  };
  const version = versions.pin();
  try {
    await withFileTask(core, async (call) => {
      for (const table of version.tables.values()) {
        await look(tableFile(table.number), () => call('verifyTable', table));
      }
      for (const number of version.valueFiles.keys()) {
        await look(valueFile(number), () => call('verifyValues', number));
      }
    });
    await look(MANIFEST_FILE, async () => {
      return (await readManifest(vfs, options.dir, keys))?.bytes ?? 0;
    });
    const own = core.log;
    if (own !== undefined) {
      await look(LOG_DIR, async () => {
        await own.sync();
        const encryption = core.logEncryption;
        const log = await Wal.verify(joinPath(options.dir, LOG_DIR), {
          vfs,
          ...(encryption && { encryption }),
        });
        for (const { damage, file, offset, message } of log.findings) {
          if (damage) problems.push({ code: 'LSM_CORRUPT', file, offset, message });
        }
        return log.bytes;
      });
    }
  } finally {
    versions.unpin(version);
  }
  return {
    ok: problems.length === 0,
    tables: version.tables.size,
    valueFiles: version.valueFiles.size,
    bytes,
    problems,
  };
}

type Call = <M extends keyof FileMethods>(
  method: M,
  input: Parameters<FileMethods[M]>[0],
) => Promise<ReturnType<FileMethods[M]>>;

async function withFileTask(core: Core, work: (call: Call) => Promise<void>): Promise<void> {
  const { vfs, databaseUuid, options } = core;
  const init: FileTaskInit = { dir: options.dir, databaseUuid, keys: core.sentKeys() };
  const task: Task = await vfs.executor.start(new URL('./file-task.js', import.meta.url), init);
  try {
    await work(async (method, input) => {
      try {
        return (await task.call(method, input)) as ReturnType<FileMethods[typeof method]>;
      } catch (error) {
        throw readError(error);
      }
    });
  } finally {
    await task.close();
  }
}

async function copy(call: Call, dir: string, name: string): Promise<void> {
  await call('copy', { name, path: joinPath(dir, name) });
}

function problemOf(name: string, error: unknown): LsmVerification['problems'][number] {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LsmError || error instanceof WalError) {
    const { code, file = name, offset } = error;
    return { code, file, message, ...(offset !== undefined && { offset }) };
  }
  return { code: errorCode(error) ?? 'LSM_IO', file: name, message };
}
