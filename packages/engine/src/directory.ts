/**
 * What a data directory holds, by name.
 *
 *     LOCK                  who writes (kernel lock)
 *     IDENTITY              whose directory it is
 *     nendb.snapshot[.bak]  images
 *     wal/                  the log
 *     lsm/                  the tree, where the store is one
 */
export const LOCK_FILE = 'LOCK';
export const IDENTITY_FILE = 'IDENTITY';
export const WAL_DIRECTORY = 'wal';
export const STORE_DIRECTORY = 'lsm';

/** What the names of images, temporary ones included, begin with. */
const SNAPSHOT_PREFIX = 'nendb.snapshot';

/** A name that only a database leaves behind, if one is there. */
export function artefactIn(names: readonly string[]): string | undefined {
  return names.find(
    (name) =>
      name === WAL_DIRECTORY || name === STORE_DIRECTORY || name.startsWith(SNAPSHOT_PREFIX),
  );
}
