/**
 * What a mapped region says of itself, in its header's words: whose it is, and how far the log is in
 * it (R17).
 *
 *     begin(lsn) ─▶ effects of the record ─▶ end(lsn)
 *
 * Invariants
 *  1. `applyingLsn` is stored before the first effect of a record, `appliedLsn` behind the last: where
 *     they differ, the record may be in the region in part.
 *  2. While a region is being built its epoch is 0, which no log has.
 */
import type { RegionMeta } from '@nendb/pmem';
import { META_F64, META_U32, STORE_VERSION } from './format.js';

const UUID_WORDS = 4;

export class RegionMarks {
  readonly #meta: RegionMeta;

  constructor(meta: RegionMeta) {
    this.#meta = meta;
  }

  /** The format of the store; 0 where there is none. */
  get version(): number {
    return this.#meta.u32(META_U32.version);
  }

  /** The epoch of the log under which it was written; 0 where it was not finished. */
  get epoch(): number {
    return this.#meta.f64(META_F64.epoch);
  }

  get applyingLsn(): number {
    return this.#meta.f64(META_F64.applyingLsn);
  }

  get appliedLsn(): number {
    return this.#meta.f64(META_F64.appliedLsn);
  }

  /** Whether it is a region of the database with these 16 bytes. */
  isOf(databaseUuid: Uint8Array): boolean {
    const words = wordsOf(databaseUuid);
    return words.every((word, i) => this.#meta.u32(META_U32.uuid + i) === word);
  }

  /** Begins to build: what is in it counts for nothing until `finish`. */
  build(databaseUuid: Uint8Array): void {
    this.#meta.setF64(META_F64.epoch, 0);
    this.#meta.setU32(META_U32.version, STORE_VERSION);
    for (const [i, word] of wordsOf(databaseUuid).entries()) {
      this.#meta.setU32(META_U32.uuid + i, word);
    }
    this.#meta.writeThrough();
  }

  /** It holds exactly the records up to `lsn`, and is written under `epoch` from here on. */
  finish(epoch: number, lsn: number): void {
    this.end(lsn);
    this.#meta.setF64(META_F64.applyingLsn, lsn);
    this.#meta.setF64(META_F64.epoch, epoch);
    this.#meta.writeThrough();
  }

  begin(lsn: number): void {
    this.#meta.setF64(META_F64.applyingLsn, lsn);
  }

  end(lsn: number): void {
    this.#meta.setF64(META_F64.appliedLsn, lsn);
  }
}

function wordsOf(uuid: Uint8Array): number[] {
  const view = new DataView(uuid.buffer, uuid.byteOffset, uuid.byteLength);
  return Array.from({ length: UUID_WORDS }, (_, i) => view.getUint32(i * 4, true));
}
