/** Opens the tree of a database, and makes it a store. */
import { Lsm } from '@nendb/lsm';
import type { Vfs } from '@nendb/vfs';
import { STORE_DIRECTORY } from '../../directory.js';
import type { LsmStoreOptions } from '../../types.js';
import { LsmStore } from './lsm-store.js';
import { Metadata } from './metadata.js';
import { Preparation } from './preparation.js';
import { TreeLog } from './tree-log.js';

export interface LsmStoreHome {
  /** The database's directory. */
  dir: string;
  vfs: Vfs;
  lsm?: LsmStoreOptions | undefined;
  /** 16 bytes. */
  databaseUuid: Uint8Array;
  /** Whether the tree has to be there. */
  mustExist: boolean;
}

const WORD = 0x1_0000_0000;

/** The store as it was flushed; the log is to be replayed and attached. Throws `LsmError`, `FormatError`. */
export async function openLsmStore(home: LsmStoreHome): Promise<LsmStore> {
  const { dir, vfs, lsm = {}, databaseUuid, mustExist } = home;
  const metadata = new Metadata();
  const log = new TreeLog(metadata);
  let preparation: Preparation | undefined;
  const tree = await Lsm.open({
    ...lsm,
    dir: `${dir}/${STORE_DIRECTORY}`,
    ...{ vfs, databaseUuid, mustExist, log, lock: false },
    // Whatever happened, who waits looks again.
    onEvent: () => preparation?.goOn(),
  });
  try {
    metadata.load(tree.flushedMetadata);
  } catch (error) {
    await tree.close();
    throw error;
  }
  preparation = new Preparation(tree, vfs.clock);
  const random = new Uint8Array(4);
  vfs.random.fill(random);
  const firstToken = new DataView(random.buffer).getUint32(0) % WORD;
  return new LsmStore({ tree, log, metadata, preparation, firstToken });
}
