/** The public shapes of snapshots. `Snapshot` in `snapshot.ts` works with them. */
import type { Lsn } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';

export interface SnapshotHeader {
  /** The image holds exactly the effects up to and including this LSN. */
  lsn: Lsn;
  /** The epoch of the log that `lsn` belongs to: an integer from 0 to 2^53 - 1. */
  epoch: number;
  /** 16 bytes: the database's. */
  uuid: Uint8Array;
  /** Milliseconds since 1970, an integer. */
  databaseTimeMs: number;
}

export interface SnapshotWriteOptions extends SnapshotHeader {
  /**
   * The image's bytes; how they are cut into chunks is not kept. A chunk is copied before the next
   * one is asked for. When the image is abandoned, the iterator's `return` is called.
   */
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  vfs?: Vfs;
  /**
   * About how many bytes `chunks` will give: what the check for free space asks for. Default: as
   * many as the newest image holds.
   */
  bytesExpected?: number;
  /**
   * Called when the image is complete and synced under its temporary name, before it gets its
   * final one. A rejection abandons the image. The log is synced to `lsn` here.
   */
  beforePublish?: () => Promise<void>;
  /** Called after each block, with the payload bytes written so far. */
  onProgress?: (bytes: number) => void;
  /** Aborting abandons the image and leaves the old ones as they are. */
  signal?: AbortSignal;
}

export interface SnapshotReadOptions {
  vfs?: Vfs;
}

export interface SnapshotLoadOptions extends SnapshotReadOptions {
  /** 16 bytes: an image of another database is refused with `SNAPSHOT_WRONG_DATABASE`. */
  uuid?: Uint8Array;
}

export type SnapshotRole = 'newest' | 'bak';

export interface SnapshotInfo {
  /** File name in the directory. */
  file: string;
  role: SnapshotRole;
  header: SnapshotHeader;
  /** Bytes of the file. */
  fileBytes: number;
  /** Bytes of the image. */
  payloadBytes: number;
}

export interface SnapshotImage {
  header: SnapshotHeader;
  /**
   * Streams the validated image, checking each block again. May be iterated once; each chunk is the
   * caller's to keep.
   */
  chunks: AsyncIterable<Uint8Array>;
  source: SnapshotRole;
  info: SnapshotInfo;
  /** Why `newest` was not used, where it was not. */
  reason?: string;
}

/**
 * What a look at one file found. `valid`: all that was looked at is as written. `damaged`: it is
 * not, from `offset` on. `too-new`: a newer release wrote it. `unreadable`: the file system refused.
 */
export interface SnapshotReport {
  /** File name in the directory. */
  file: string;
  role: SnapshotRole;
  state: 'valid' | 'damaged' | 'too-new' | 'unreadable';
  /** Where head and footer are sound. */
  info?: SnapshotInfo;
  /** Why the state is not `valid`, for people. */
  reason?: string;
  /** First bytes that are not as written, counted from the start of the file. */
  offset?: number;
}

export type SnapshotErrorCode =
  /** No valid image, and at least one damaged one: the message names file and offset of each. */
  | 'SNAPSHOT_CORRUPT'
  | 'SNAPSHOT_TOO_NEW'
  /** Too little free space to write an image. */
  | 'SNAPSHOT_NO_SPACE'
  | 'SNAPSHOT_WRONG_DATABASE'
  | 'SNAPSHOT_ABORTED'
  /** A read, write, sync or rename failed; `cause` is the errno error. */
  | 'SNAPSHOT_IO'
  /** The image was replaced between `load` and reading its chunks. */
  | 'SNAPSHOT_CHANGED'
  | 'SNAPSHOT_BAD_OPTION';
