/** The public shapes of snapshots. */
import type { Lsn } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';

export interface SnapshotHeader {
  /** The image holds exactly the effects up to and including this LSN. */
  lsn: Lsn;
  epoch: number;
  /** 16 bytes: the database's. */
  uuid: Uint8Array;
  databaseTimeMs: number;
}

export interface SnapshotWriteOptions extends SnapshotHeader {
  /** The image's bytes; how they are cut into chunks is not kept. */
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  vfs?: Vfs;
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

export interface SnapshotInfo {
  /** File name in the directory. */
  file: string;
  /** `newest` or `bak`. */
  role: SnapshotRole;
  header: SnapshotHeader;
  /** Bytes of the file. */
  fileBytes: number;
  /** Bytes of the image. */
  payloadBytes: number;
}

export type SnapshotRole = 'newest' | 'bak';

export interface SnapshotImage {
  header: SnapshotHeader;
  /** Streams the validated image, checking each block again. May be iterated once. */
  chunks: AsyncIterable<Uint8Array>;
  source: SnapshotRole;
  info: SnapshotInfo;
  /** Why `newest` was not used, where it was not. */
  reason?: string;
}

export type SnapshotErrorCode =
  /** No valid image, and at least one damaged one: the message names file and offset of each. */
  | 'SNAPSHOT_CORRUPT'
  | 'SNAPSHOT_TOO_NEW'
  /** Too little free space to write an image. */
  | 'SNAPSHOT_NO_SPACE'
  | 'SNAPSHOT_WRONG_DATABASE'
  | 'SNAPSHOT_ABORTED'
  | 'SNAPSHOT_BAD_OPTION';
