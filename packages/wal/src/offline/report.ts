/** What the offline tools say about a log. Plain data: `JSON.stringify` prints all of it. */
import type { Vfs } from '@nendb/vfs';
import type { WalVerdict } from '../types.js';

export interface OfflineOptions {
  vfs?: Vfs;
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
