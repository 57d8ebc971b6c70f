/** The public shapes of snapshots. `Snapshot` in `snapshot.ts` works with them. */
import type { Compression, Encryption, Lsn } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';

/** `JSON.stringify` prints its LSN as a decimal string, its uuid as text. */
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
   * How blocks are compressed, each only where that saves an eighth or more. Default `none`.
   */
  compression?: Compression;
  /**
   * Encrypts the image with the active key. What is not hidden: header, sizes, compression and the
   * id of the key. All of it is authenticated. Default: in the clear.
   */
  encryption?: Encryption;
  /**
   * How many images older than the `.bak` to keep, from 0 to 1000, as `nendb.snapshot.<epoch>-<lsn>`;
   * more than that are removed, the oldest first. Default: none is added and none is removed.
   */
  keep?: number;
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

export interface SnapshotLookOptions extends SnapshotReadOptions {
  /**
   * Tags are checked too, and an image that is not encrypted is reported as such. Without it
   * encrypted images are judged by their checksums, which needs no key.
   */
  encryption?: Encryption;
}

export interface SnapshotLoadOptions extends SnapshotReadOptions {
  /** 16 bytes: an image of another database is refused with `SNAPSHOT_WRONG_DATABASE`. */
  uuid?: Uint8Array;
  /**
   * The keys of the image. An image in the clear is refused then (`SNAPSHOT_NOT_ENCRYPTED`), as an
   * encrypted one is without (`SNAPSHOT_NO_KEY`).
   */
  encryption?: Encryption;
}

/** By file name: `nendb.snapshot`, `nendb.snapshot.bak`, `nendb.snapshot.<epoch>-<lsn>`. */
export type SnapshotRole = 'newest' | 'bak' | 'kept';

export interface SnapshotInfo {
  /** File name in the directory. */
  file: string;
  role: SnapshotRole;
  header: SnapshotHeader;
  /** Bytes of the file. */
  fileBytes: number;
  /** Bytes of the image, before compression. */
  payloadBytes: number;
  /** Whether blocks may be compressed. */
  compressed: boolean;
  /** The id of the key, where the image is encrypted. */
  keyId?: number;
}

export interface SnapshotImage {
  header: SnapshotHeader;
  /**
   * Streams the validated image, checking each block again. May be iterated once; each chunk is the
   * caller's to keep.
   */
  chunks: AsyncIterable<Uint8Array>;
  /**
   * `newest`, or `bak` where it was not usable: the second newest valid image, which is the file
   * `nendb.snapshot.bak` or, where that is not valid either, the newest kept one that is. `info.file`
   * says which.
   */
  source: 'newest' | 'bak';
  info: SnapshotInfo;
  /** Why `newest` was not used, where it was not. */
  reason?: string;
}

/**
 * What a look at one file found.
 *
 * - `valid`: all that was looked at is as written.
 * - `damaged`: it is not, from `offset` on.
 * - `too-new`: a newer release wrote it.
 * - `unreadable`: the file system refused.
 * - `wrong-key`: checksums are good and a tag does not fit, or the key is not among those given.
 * - `not-encrypted`: keys were given for an image in the clear.
 * - `no-key`: it is encrypted, and its contents were asked for without a key.
 */
export type SnapshotState =
  | 'valid'
  | 'damaged'
  | 'too-new'
  | 'unreadable'
  | 'wrong-key'
  | 'not-encrypted'
  | 'no-key';

export interface SnapshotReport {
  /** File name in the directory. */
  file: string;
  role: SnapshotRole;
  state: SnapshotState;
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
  /** Checksums are good and a tag does not fit: another key, or bytes that were tampered with. */
  | 'SNAPSHOT_WRONG_KEY'
  /** `encryption` was given, and the image is in the clear. */
  | 'SNAPSHOT_NOT_ENCRYPTED'
  /** The image is encrypted, and `encryption` was not given. */
  | 'SNAPSHOT_NO_KEY'
  | 'SNAPSHOT_ABORTED'
  /** A read, write, sync or rename failed; `cause` is the errno error. */
  | 'SNAPSHOT_IO'
  /** The image was replaced between `load` and reading its chunks. */
  | 'SNAPSHOT_CHANGED'
  | 'SNAPSHOT_BAD_OPTION';
