/**
 * Bulk reads and copies of files on a worker thread: checks of every byte, checkpoints.
 *
 * Synchronous calls here leave the core thread and the thread pool of the log alone (R8).
 */
import type { DataKeys } from '@nendb/codec';
import { joinPath, readFullySync, type Vfs } from '@nendb/vfs';
import { BlockCache } from '../cache/block-cache.js';
import { MemoryBudget } from '../cache/memory-budget.js';
import { type JobPlace, receivedKeys, type SentKeys } from '../compaction/job.js';
import { JOB_CACHE_BYTES, SYNC_STEP_BYTES } from '../limits.js';
import { tableFile, valueFile } from '../manifest/format.js';
import { Output } from '../output.js';
import { TableReader } from '../table/table-reader.js';
import { ValueReader } from '../value-log/value-reader.js';
import { checkTable } from '../version/check-table.js';
import type { TableMeta } from '../version/table-meta.js';

export interface FileTaskInit extends JobPlace {
  keys: SentKeys | undefined;
}

export interface FileMethods {
  /** Reads every byte of a table and checks it. Returns its length. Throws `LsmError`. */
  verifyTable(table: TableMeta): number;
  /** The same of a value file. */
  verifyValues(number: number): number;
  /** Copies a file of the tree to `path`, durably but for its name. Returns its length. */
  copy(input: { name: string; path: string }): number;
}

export default function makeFileTask({ dir, databaseUuid, keys: sent }: FileTaskInit, vfs: Vfs) {
  const keys: DataKeys | undefined = sent && receivedKeys(sent);
  const known = { databaseUuid, ...(keys && { keys }) };
  return {
    verifyTable(table) {
      const file = vfs.openSync(joinPath(dir, tableFile(table.number)), 'read');
      let reader: TableReader | undefined;
      try {
        const cache = new BlockCache(new MemoryBudget(JOB_CACHE_BYTES));
        const account = cache.budget.account('tables');
        reader = TableReader.open(file, { ...known, cache, account });
        checkTable(reader, table);
        reader.verify();
        return reader.fileBytes;
      } finally {
        if (reader === undefined) file.closeSync();
        else reader.closeSync();
      }
    },
    verifyValues(number) {
      const file = vfs.openSync(joinPath(dir, valueFile(number)), 'read');
      let reader: ValueReader | undefined;
      try {
        reader = ValueReader.open(file, known);
        reader.verify();
        return reader.fileBytes;
      } finally {
        if (reader === undefined) file.closeSync();
        else reader.closeSync();
      }
    },
    copy({ name, path }) {
      const file = vfs.openSync(joinPath(dir, name), 'read');
      try {
        const output = new Output(vfs, path);
        try {
          const buffer = new Uint8Array(SYNC_STEP_BYTES);
          for (;;) {
            const read = readFullySync(file, buffer, output.position);
            output.write(buffer.subarray(0, read));
            if (read < buffer.length) break;
          }
          output.finish();
          return output.position;
        } catch (error) {
          output.abort();
          throw error;
        }
      } finally {
        file.closeSync();
      }
    },
  } satisfies FileMethods;
}
