/**
 * Whether there is memory for a commit, asked before it is logged (R7). Each effect is taken for the most
 * that it can write; what a commit frees is not counted.
 *
 *     much was never touched   credit: commits are counted against a part of it, without a look
 *     else                     room is found in the region itself, and set aside where need be
 *
 * Hot: a commit of one SET costs one walk over its head.
 */
import type { DashTable } from '@nendb/dash-hash';
import { PmemError, type Region } from '@nendb/pmem';
import { EffectType } from '../../effects/format.js';
import { EffectReader } from '../../effects/reader.js';
import {
  ADMIT_COPY_BYTES,
  ADMIT_CREDIT_PART,
  ADMIT_ENTRY_BYTES,
  ADMIT_NEST_BYTES,
  ADMIT_SLACK_BYTES,
  ADMIT_SLACK_PART,
  PACKED_BYTES_MAX,
} from '../../limits.js';

/** Looks at what is stored, for its length in bytes; 0 where there is nothing. */
export interface StoredLengths {
  string(namespace: number, key: Uint8Array, from: number, to: number): number;
  field(effect: EffectReader): number;
}

interface Run {
  from: number;
  to: number;
}

const NO_KEY: Run = { from: 0, to: -1 };

export class Admission {
  readonly #region: Region;
  readonly #lengths: StoredLengths;
  readonly #slackBytes: number;
  readonly #reader = new EffectReader();
  #credit = 0;
  #entries = 0;
  #bytes = 0;
  /** Length of the longest value that the commit itself writes. */
  #longest = 0;

  constructor(region: Region, lengths: StoredLengths) {
    this.#region = region;
    this.#lengths = lengths;
    this.#slackBytes = Math.min(ADMIT_SLACK_BYTES, region.bytesMax * ADMIT_SLACK_PART);
  }

  /** `table` is any of the region. */
  admits(bytes: Uint8Array, from: number, to: number, table: DashTable): boolean {
    this.#measure(bytes, from, to, false);
    if (this.#entries === 0 || this.#isCovered()) return true;
    this.#measure(bytes, from, to, true);
    if (this.#isCovered()) return true;
    try {
      table.reserve(this.#entries, this.#bytes);
      return true;
    } catch (error) {
      if (error instanceof PmemError && error.code === 'PMEM_EXHAUSTED') return false;
      throw error;
    }
  }

  /** Whether what was measured has credit, which is spent then. */
  #isCovered(): boolean {
    const cost = this.#bytes + this.#entries * ADMIT_ENTRY_BYTES;
    if (this.#credit < cost) {
      const spare = this.#region.stats.untouchedBytes - this.#slackBytes;
      this.#credit = Math.max(0, Math.floor(spare * ADMIT_CREDIT_PART));
    }
    if (this.#credit < cost) return false;
    this.#credit -= cost;
    return true;
  }

  /** Counts the entries that are written, and their bytes; `exactly` by looking at what is stored. */
  #measure(bytes: Uint8Array, from: number, to: number, exactly: boolean): void {
    const reader = this.#reader;
    this.#entries = 0;
    this.#bytes = 0;
    this.#longest = 0;
    // A hash is nested once: effects on one key come one behind the other.
    let hash = NO_KEY;
    // Strings may be shorter by then than they are now.
    let shortened = false;
    reader.reset(bytes, from, to);
    while (reader.next()) {
      const { namespace, keyFrom, keyTo } = reader;
      const keyBytes = keyTo - keyFrom;
      const valueBytes = reader.valueTo - reader.valueFrom;
      this.#longest = Math.max(this.#longest, valueBytes);
      switch (reader.type) {
        case EffectType.put:
          this.#add(1, keyBytes + valueBytes);
          shortened = true;
          break;
        case EffectType.delete:
          shortened = true;
          break;
        case EffectType.expire: {
          const stored = exactly
            ? this.#lengths.string(namespace, bytes, keyFrom, keyTo)
            : ADMIT_COPY_BYTES;
          this.#add(1, keyBytes + this.#copyBytes(stored));
          break;
        }
        case EffectType.patch:
          this.#longest = Math.max(this.#longest, reader.newLength);
          this.#add(1, keyBytes + valueBytes + this.#patchBytes(reader, shortened));
          break;
        case EffectType.fieldPut: {
          const fieldBytes = reader.fieldTo - reader.fieldFrom + valueBytes;
          this.#add(1, keyBytes + fieldBytes + PACKED_BYTES_MAX);
          if (!isRun(bytes, hash, keyFrom, keyTo)) this.#add(2, keyBytes + ADMIT_NEST_BYTES);
          hash = { from: keyFrom, to: keyTo };
          break;
        }
        case EffectType.fieldExpire: {
          const stored = exactly ? this.#lengths.field(reader) : ADMIT_COPY_BYTES;
          this.#add(2, 2 * keyBytes + PACKED_BYTES_MAX + this.#copyBytes(stored));
          break;
        }
        case EffectType.fieldDrop:
          if (!reader.removed) this.#add(1, 2 * keyBytes + PACKED_BYTES_MAX);
          break;
        case EffectType.databases:
          this.#add(reader.namespaces.length + 1, 0);
      }
    }
  }

  /** What a copy of something stored takes: of a long one the list of its pieces. */
  #copyBytes(storedBytes: number): number {
    return Math.min(ADMIT_COPY_BYTES, Math.max(storedBytes, this.#longest));
  }

  /** What a patch may write beside its bytes: both pieces at its ends, a list of all, what is new. */
  #patchBytes(effect: EffectReader, shortened: boolean): number {
    const { namespace, bytes, keyFrom, keyTo, newLength } = effect;
    const isNew = effect.created || shortened;
    const length = isNew ? 0 : this.#lengths.string(namespace, bytes, keyFrom, keyTo);
    return 3 * Math.min(ADMIT_COPY_BYTES, newLength) + Math.max(0, newLength - length);
  }

  #add(entries: number, bytes: number): void {
    this.#entries += entries;
    this.#bytes += bytes;
  }
}

/** Whether the bytes of `run` are those from `from` to `to`. */
function isRun(bytes: Uint8Array, run: Run, from: number, to: number): boolean {
  if (run.to - run.from !== to - from) return false;
  for (let i = from; i < to; i++) if (bytes[i] !== bytes[run.from + i - from]) return false;
  return true;
}
