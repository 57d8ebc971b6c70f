/**
 * The description of a flush or compaction: plain data, sent whole to the thread that does it.
 */
import type { Compression, DataKey, DataKeys } from '@nendb/codec';
import { CryptoError } from '@nendb/codec';
import type { SharedMemtable } from '../memtable/memtable.js';
import type { TableMeta, ValueFileMeta } from '../version/table-meta.js';
import type { KeyRange } from './older-keys.js';

/** What every job of a tree shares. */
export interface JobPlace {
  dir: string;
  /** 16 bytes. */
  databaseUuid: Uint8Array;
}

/** Data keys as they travel to another thread. */
export interface SentKeys {
  activeId: number;
  keys: readonly DataKey[];
}

export interface Job {
  /** What is merged, newest first: tables of a run each. */
  inputs: readonly (readonly TableMeta[])[];
  /** A frozen memtable that is flushed. */
  memtable: SharedMemtable | undefined;
  outputLevel: number;
  outputRun: number;
  /** Sequence numbers that somebody reads at, ascending. */
  snapshots: readonly number[];
  /** The earliest time that somebody reads at, in ms since 1970. */
  nowMs: number;
  /** Where older data may lie: see `joinRanges`. */
  older: readonly KeyRange[];
  /** Outputs are numbered from here on, at most so many. */
  firstFile: number;
  filesMax: number;
  createdMs: number;
  tableBytes: number;
  blockBytes: number;
  filterBitsPerKey: number;
  compression: Compression;
  /** Outputs are synced after each so many bytes. */
  syncStepBytes: number;
  /** Values from here on go to the value log; infinite for none. */
  valueThresholdBytes: number;
  valueFileBytes: number;
  /** Value files whose values are written anew. */
  rewriteValueFiles: readonly number[];
  keys: SentKeys | undefined;
}

/** What a step of a job did. */
export interface JobStep {
  done: boolean;
  /** Bytes of keys and values that were read in this step. */
  readBytes: number;
  /** Bytes that were written in this step. */
  writtenBytes: number;
}

/** The files that a job made: durable, their names not yet. */
export interface JobResult {
  tables: TableMeta[];
  valueFiles: ValueFileMeta[];
  writtenBytes: number;
}

/** `DataKeys` of keys that were sent. */
export function receivedKeys({ activeId, keys }: SentKeys): DataKeys {
  const key = (id: number): Uint8Array => {
    const found = keys.find((each) => each.id === id);
    if (found !== undefined) return found.key;
    throw new CryptoError(
      'CRYPTO_UNKNOWN_KEY',
      `expected one of the keys ${keys.map((each) => each.id).join(', ')}, got ${id}: use the newest keyring of the database`,
    );
  };
  return { active: { id: activeId, key: key(activeId) }, key };
}
