/**
 * A frame of one record, encoded into a buffer that is used again and again: for `appendSync` where
 * nothing is synced. Hot: what does not change from frame to frame is written once.
 *
 * The same bytes as a `Group` with one record would give; `frame.ts` draws them.
 */
import { crc32, putUvarint } from '@nendb/codec';
import * as format from './format.js';
import { emptyFrameHeader, putFrameHeader } from './frame.js';
import { recordBytes } from './group.js';
import type { LiveSegment } from './live-segment.js';
import { viewOf } from './u64.js';

/** Longer records do not feel what a group costs. */
export const LONE_BYTES_MAX = 4096;

/** File bytes of a frame with one record of `length` bytes. */
export function loneFrameBytes(length: number): number {
  return format.alignFrame(format.FRAME_HEADER_BYTES + recordBytes(length));
}

export class LoneFrame {
  readonly #bytes = new Uint8Array(loneFrameBytes(LONE_BYTES_MAX));
  readonly #view = viewOf(this.#bytes);
  readonly #header = emptyFrameHeader();
  /** A view of the last frame: records of one length are common. */
  #frame: Uint8Array = this.#bytes.subarray(0, 0);
  #payload: Uint8Array = this.#frame;
  #recordLength = -1;

  constructor() {
    const header = this.#header;
    header.type = format.FrameType.records;
    header.flags = format.FLAG_FIRST | format.FLAG_LAST;
    header.count = 1;
    header.origin = format.ORIGIN_LOCAL;
  }

  /** The checksum of the last frame's header: the chain's next link. */
  get crc(): number {
    return this.#header.crc;
  }

  /** The frame for `record` at the end of `live`; valid until the next call. */
  encode(
    record: Uint8Array,
    live: LiveSegment,
    databaseTimeMs: number,
    lsn: number,
    syncedLsn: number,
  ): Uint8Array {
    const header = this.#header;
    const bytes = this.#bytes;
    const at = putUvarint(bytes, format.FRAME_HEADER_BYTES, record.length);
    bytes.set(record, at);
    if (record.length !== this.#recordLength) this.#fit(record.length, at);
    header.payloadCrc = crc32(this.#payload);
    header.firstLsn = lsn;
    header.epoch = live.header.epoch;
    header.databaseTimeMs = databaseTimeMs;
    header.syncedLsn = syncedLsn;
    header.syncedEnd = live.syncedEnd;
    putFrameHeader(bytes, this.#view, 0, header, live.end, live.seed);
    return this.#frame;
  }

  #fit(length: number, at: number): void {
    const end = at + length;
    const total = loneFrameBytes(length);
    this.#bytes.fill(0, end, total);
    this.#frame = this.#bytes.subarray(0, total);
    this.#payload = this.#bytes.subarray(format.FRAME_HEADER_BYTES, end);
    this.#recordLength = length;
    this.#header.payloadBytes = end - format.FRAME_HEADER_BYTES;
    this.#header.unitBytes = this.#header.payloadBytes;
  }
}
