/** What the offline tools say about a log: plain data, which `JSON.stringify` prints. */
import type { Encryption } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import type { WalVerdict } from '../types.js';

export interface OfflineOptions {
  vfs?: Vfs;
  /** With it the records of an encrypted log are opened, too; without, checksums are compared. */
  encryption?: Encryption;
}

/**
 * What a finding is about.
 *
 * - `head`: HEAD is unreadable, or says what the segments do not.
 * - `header`: a segment's header is damaged.
 * - `missing`: a file that must exist does not.
 * - `link`: a segment does not follow the one before it.
 * - `frame`: a frame is damaged.
 * - `end`: frames end before, or are others than, what was synced.
 * - `unreadable`: the device refuses to read.
 * - `unfinished`: a salvage was begun and did not finish.
 * - `trailer`: a trailer or its index is damaged; no record depends on it.
 * - `torn`: a write that was never acknowledged.
 */
export type WalFindingKind =
  | 'head'
  | 'header'
  | 'missing'
  | 'link'
  | 'frame'
  | 'end'
  | 'unreadable'
  | 'unfinished'
  | 'trailer'
  | 'torn';

export interface WalFinding {
  kind: WalFindingKind;
  /** Whether the log is refused, or its reading fails, because of it. */
  damage: boolean;
  /** Path of the file. */
  file: string;
  /** Byte offset in it. */
  offset: number;
  message: string;
}

/**
 * How a segment ended: `sealed` by rotation, `closed`, `recovered` by the opening after a crash;
 * `open` where nothing says that it ended.
 */
export type WalSegmentEnd = 'sealed' | 'closed' | 'recovered' | 'open';

export interface WalSegmentReport {
  name: string;
  /** `damaged` also where it is whole but does not belong here. */
  state: 'ok' | 'torn' | 'damaged' | 'missing';
  /** Size of the file, in bytes; 0 where it is missing. */
  fileBytes: number;
  /** From here on `undefined` where the header, or what says where it ends, is unreadable. */
  uuid?: string;
  epoch?: number;
  firstLsn?: number;
  /** `firstLsn - 1` where it holds no record. */
  lastLsn?: number;
  records?: number;
  /** Header and frames, without a trailer, in bytes. */
  bytes?: number;
  end?: WalSegmentEnd;
}

/** What `Wal.inspect` finds: headers, HEAD and the tail of the last segment are read. */
export interface WalInspection {
  dir: string;
  /** As the next opening would judge; `missing` where there is no log. */
  verdict: WalVerdict;
  databaseUuid?: string;
  /** The highest epoch that is known. */
  epoch: number;
  firstLsn?: number;
  lastLsn?: number;
  /** Records and bytes of the segments whose extent is known. */
  records: number;
  bytes: number;
  segments: WalSegmentReport[];
  /** Names of files that are not part of the log: spares, temporaries, segments cut off. */
  leftovers: string[];
  findings: WalFinding[];
  /** Findings beyond the first `FINDINGS_MAX`, counted only. */
  findingsDropped: number;
  elapsedMs: number;
}

/** What `Wal.verify` finds: the same, after every checksum was read. */
export interface WalVerification extends WalInspection {
  /** Bytes of frames whose checksums were compared. */
  verifiedBytes: number;
}

/** LSNs from `from` to `to`, both included. */
export interface LsnRange {
  from: number;
  to: number;
}

export interface SalvageOptions {
  /** A directory for what is set aside; made if missing. Nothing in it is overwritten. */
  quarantine: string;
  /** Only says what would be done. Default false. */
  dryRun?: boolean;
  vfs?: Vfs;
  /** What the log is encrypted with: records that are written anew are encrypted anew. */
  encryption?: Encryption;
}

/** What `Wal.salvage` did, or would do. */
export interface WalSalvageReport {
  dir: string;
  dryRun: boolean;
  /** The verdict before. */
  verdict: WalVerdict;
  /** False where the log opens as it is: nothing is done then. */
  changed: boolean;
  /** The records of the log from now on; `undefined` where there are none. */
  kept?: LsnRange;
  /** Records that are known to have been in the log and are not any more, oldest first. */
  lost: LsnRange[];
  /** Whether newer records than any range names may have been lost: the end of the log is gone. */
  newerMayBeLost: boolean;
  /** Files that were set aside: name in the log's directory, and path in the quarantine. */
  moved: { name: string; to: string }[];
  /** Names of the segments that were written anew. */
  rebuilt: string[];
  /** The log's epoch from now on. */
  epoch: number;
  findings: WalFinding[];
}
