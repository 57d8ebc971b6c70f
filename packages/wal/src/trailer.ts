/**
 * The trailer of a sealed segment: a control frame whose payload counts and indexes the others.
 *
 *     0       8          16      20        24                    24 + 16 n           + 16
 *     +-------+----------+-------+---------+---------------------+-------------------+
 *     | count | last lsn | chain | entries | entries x           | frame offset u64, |
 *     | u64   | u64      | u32   | u32     | (lsn u64, offset u64)| "NENDBEND"        |
 *     +-------+----------+-------+---------+---------------------+-------------------+
 *
 * A sealed file ends with the trailer, so that its last sixteen bytes find it.
 */
import * as format from './format.js';
import { frameBytes } from './frame.js';
import { INDEX_ENTRIES_MAX, INDEX_EVERY_BYTES } from './limits.js';
import { getU64, putU64, viewOf } from './u64.js';

export interface Trailer {
  /** Records in the segment. */
  count: number;
  lastLsn: number;
  /** The chained checksum of the frames before the trailer. */
  chain: number;
}

/** A frame that starts a unit: the LSN of its first record, and its file offset. */
export interface IndexEntry {
  lsn: number;
  offset: number;
}

/** Collects where units start, at least `INDEX_EVERY_BYTES` apart, at most `INDEX_ENTRIES_MAX`. */
export class SparseIndex {
  #lsns: number[] = [];
  #offsets: number[] = [];
  #everyBytes = INDEX_EVERY_BYTES;
  #nextOffset = 0;

  get entries(): number {
    return this.#lsns.length;
  }

  note(lsn: number, offset: number): void {
    if (offset < this.#nextOffset) return;
    if (this.#lsns.length === INDEX_ENTRIES_MAX) this.#thin();
    this.#lsns.push(lsn);
    this.#offsets.push(offset);
    this.#nextOffset = offset + this.#everyBytes;
  }

  #thin(): void {
    this.#lsns = this.#lsns.filter((_, i) => i % 2 === 0);
    this.#offsets = this.#offsets.filter((_, i) => i % 2 === 0);
    this.#everyBytes *= 2;
  }

  /** The newest entry at or before `lsn`; `undefined` where there is none. */
  find(lsn: number): IndexEntry | undefined {
    let low = 0;
    let high = this.#lsns.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lsns[middle] <= lsn) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : { lsn: this.#lsns[low - 1], offset: this.#offsets[low - 1] };
  }

  put(view: DataView, at: number): void {
    for (let i = 0; i < this.#lsns.length; i++) {
      putU64(view, at + i * format.INDEX_ENTRY_BYTES, this.#lsns[i]);
      putU64(view, at + i * format.INDEX_ENTRY_BYTES + 8, this.#offsets[i]);
    }
  }
}

function payloadBytesOf(entries: number): number {
  return format.TRAILER_INDEX_AT + entries * format.INDEX_ENTRY_BYTES + format.FOOTER_BYTES;
}

/** The most that the trailer of a segment of `segmentBytes` can take, in bytes. */
export function trailerBytesMax(segmentBytes: number): number {
  const entries = Math.min(INDEX_ENTRIES_MAX, Math.ceil(segmentBytes / INDEX_EVERY_BYTES) + 1);
  return frameBytes(payloadBytesOf(entries));
}

export function encodeTrailer(
  trailer: Trailer,
  index: SparseIndex,
  frameOffset: number,
): Uint8Array {
  const bytes = new Uint8Array(payloadBytesOf(index.entries));
  const view = viewOf(bytes);
  putU64(view, format.TRAILER_COUNT_AT, trailer.count);
  putU64(view, format.TRAILER_LAST_LSN_AT, trailer.lastLsn);
  view.setUint32(format.TRAILER_CHAIN_AT, trailer.chain, true);
  view.setUint32(format.TRAILER_ENTRIES_AT, index.entries, true);
  index.put(view, format.TRAILER_INDEX_AT);
  const footer = bytes.length - format.FOOTER_BYTES;
  putU64(view, footer, frameOffset);
  Buffer.from(bytes.buffer).write(format.FOOTER_MAGIC, footer + 8, 'latin1');
  return bytes;
}

/** The trailer in `payload`, or why it is none. The payload's checksum has been checked. */
export function decodeTrailer(payload: Uint8Array): Trailer | string {
  if (payload.length < payloadBytesOf(0)) return `a trailer of ${payload.length} bytes`;
  const view = viewOf(payload);
  const entries = view.getUint32(format.TRAILER_ENTRIES_AT, true);
  if (payload.length !== payloadBytesOf(entries)) {
    return `a trailer of ${payload.length} bytes with ${entries} index entries`;
  }
  return {
    count: getU64(view, format.TRAILER_COUNT_AT),
    lastLsn: getU64(view, format.TRAILER_LAST_LSN_AT),
    chain: view.getUint32(format.TRAILER_CHAIN_AT, true),
  };
}

/** The newest index entry at or before `lsn` in a payload that `decodeTrailer` accepts. */
export function findInTrailer(payload: Uint8Array, lsn: number): IndexEntry | undefined {
  const view = viewOf(payload);
  let low = 0;
  let high = view.getUint32(format.TRAILER_ENTRIES_AT, true);
  const entryAt = (i: number): number => format.TRAILER_INDEX_AT + i * format.INDEX_ENTRY_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (getU64(view, entryAt(middle)) <= lsn) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const at = entryAt(low - 1);
  return { lsn: getU64(view, at), offset: getU64(view, at + 8) };
}

/** The offset of the trailer's frame, from the last bytes of a file; `undefined` without a footer. */
export function decodeFooter(footer: Uint8Array): number | undefined {
  if (Buffer.from(footer).toString('latin1', 8) !== format.FOOTER_MAGIC) return undefined;
  return getU64(viewOf(footer), 0);
}
