/** Tables in a simulated file system, for tests. */
import { SimVfs } from '@nendb/vfs/sim';
import { BlockCache } from '../../src/cache/block-cache.js';
import { MemoryBudget } from '../../src/cache/memory-budget.js';
import { TableBuilder, type TableBuilderOptions } from '../../src/table/table-builder.js';
import { TableReader, type TableReaderOptions } from '../../src/table/table-reader.js';
import { entryOf, type Version } from '../entries.js';

export const DATABASE = new Uint8Array(16).fill(0xdb);
export const PATH = '/db/00000001.table';
export const CREATED_MS = 1_800_000_000_000;

export interface Tombstone {
  gte: Uint8Array;
  lt: Uint8Array;
  sequence: number;
}

/** A machine with a directory for tables. */
export function machine(): SimVfs {
  const vfs = new SimVfs({ record: false });
  vfs.mkdirSync('/db');
  return vfs;
}

export function build(
  vfs: SimVfs,
  versions: readonly Version[],
  options: Partial<TableBuilderOptions> = {},
  tombstones: readonly Tombstone[] = [],
  path = PATH,
) {
  const builder = new TableBuilder(vfs, path, {
    databaseUuid: DATABASE,
    createdMs: CREATED_MS,
    ...options,
  });
  for (const version of versions) builder.add(entryOf(version));
  for (const { gte, lt, sequence } of tombstones) builder.addRange(gte, lt, sequence);
  return builder.finish();
}

export function newCache(limitBytes = 1 << 20) {
  const budget = new MemoryBudget(limitBytes);
  return { budget, cache: new BlockCache(budget), account: budget.account('tables') };
}

export function open(
  vfs: SimVfs,
  options: Partial<TableReaderOptions> = {},
  path = PATH,
): TableReader {
  const { cache, account } = newCache();
  return TableReader.open(vfs.openSync(path, 'read'), {
    databaseUuid: DATABASE,
    cache,
    account,
    ...options,
  });
}
