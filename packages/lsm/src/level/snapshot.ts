/** Explicit snapshots of Level: a snapshot of the tree, with Level's counting of who still reads from it. */
import { AbstractSnapshot } from 'abstract-level';
import type { LsmSnapshot } from '../types.js';
import { LevelError } from './level-error.js';

/** Who closes a snapshot when it is closed itself: the database or sublevel that it was asked of. */
export interface SnapshotOptions {
  owner: object;
}

// The declarations of abstract-level leave out the constructor, which is for those who implement a database.
const SnapshotBase = AbstractSnapshot as unknown as new (
  options: SnapshotOptions,
) => AbstractSnapshot;

export class LevelSnapshot extends SnapshotBase {
  constructor(
    readonly view: LsmSnapshot,
    options: SnapshotOptions,
  ) {
    super(options);
  }

  async _close(): Promise<void> {
    this.view.close();
  }
}

/** The tree's snapshot in an option, if there is one. Throws `LEVEL_SNAPSHOT_NOT_OPEN`, `LEVEL_INVALID_SNAPSHOT`. */
export function viewOf(snapshot: AbstractSnapshot | null | undefined): LsmSnapshot | undefined {
  if (snapshot === undefined || snapshot === null) return undefined;
  // Throws where it is closed.
  snapshot.ref();
  snapshot.unref();
  if (snapshot instanceof LevelSnapshot) return snapshot.view;
  throw new LevelError(
    'LEVEL_INVALID_SNAPSHOT',
    'expected a snapshot of this database, got one of another kind: take it with db.snapshot()',
  );
}
