/**
 * A frame of one record, encoded into a buffer that is used again and again: for `appendSync` where
 * nothing is synced. Hot: what does not change from frame to frame is written once.
 *
 * The same bytes as a `Group` with one record would give; `frame.ts` draws them.
 */
import { crc32, putUvarint } from '@nendb/codec';
import * as format from './format.js';
import { recordBytes } from './group.js';
import type { LiveSegment } from './live-segment.js';
import { putU64, viewOf } from './u64.js';

/** Longer records do not feel what a group costs. */
export const LONE_BYTES_MAX = 4096;

/** File bytes of a frame with one record of `length` bytes. */
export function loneFrameBytes(length: number): number {
  return format.alignFrame(format.FRAME_HEADER_BYTES + recordBytes(length));
}

/** The frame's offset in the buffer: its header's checksum also covers eight bytes before the rest. */
const FRAME_AT = format.FRAME_ALIGNMENT;
/** Seed of the header's checksum are the uuid and then the file offset, just before what it covers. */
const OFFSET_AT = FRAME_AT + format.FRAME_CRC_FROM - 8;

export class LoneFrame {
  readonly #bytes = new Uint8Array(FRAME_AT + loneFrameBytes(LONE_BYTES_MAX));
  readonly #view = viewOf(this.#bytes);
  readonly #headerCovered = this.#bytes.subarray(OFFSET_AT, FRAME_AT + format.FRAME_HEADER_BYTES);
  /** A view of the last frame: records of one length are common. */
  #frame: Uint8Array = this.#bytes.subarray(0, 0);
  #payload: Uint8Array = this.#frame;
  #recordLength = -1;
  #databaseTimeMs = -1;
  /** The checksum of the last frame's header: the chain's next link. */
  crc = 0;

  constructor() {
    const view = this.#view;
    view.setUint16(FRAME_AT + format.FRAME_MAGIC_AT, format.FRAME_MAGIC, true);
    view.setUint8(FRAME_AT + format.FRAME_TYPE_AT, format.FrameType.records);
    view.setUint8(FRAME_AT + format.FRAME_FLAGS_AT, format.FLAG_FIRST | format.FLAG_LAST);
    view.setUint32(FRAME_AT + format.FRAME_COUNT_AT, 1, true);
    view.setUint32(FRAME_AT + format.FRAME_ORIGIN_AT, format.ORIGIN_LOCAL, true);
  }

  /** The frame for `record` at the end of `live`; valid until the next call. */
  encode(
    record: Uint8Array,
    live: LiveSegment,
    databaseTimeMs: number,
    lsn: number,
    syncedLsn: number,
  ): Uint8Array {
    const bytes = this.#bytes;
    const view = this.#view;
    const at = putUvarint(bytes, FRAME_AT + format.FRAME_HEADER_BYTES, record.length);
    bytes.set(record, at);
    if (record.length !== this.#recordLength) this.#fit(record.length, at);
    view.setUint32(FRAME_AT + format.FRAME_PAYLOAD_CRC_AT, crc32(this.#payload), true);
    putU64(view, FRAME_AT + format.FRAME_FIRST_LSN_AT, lsn);
    view.setUint32(FRAME_AT + format.FRAME_EPOCH_AT, live.header.epoch, true);
    if (databaseTimeMs !== this.#databaseTimeMs) this.#setTime(databaseTimeMs);
    putU64(view, FRAME_AT + format.FRAME_SYNCED_LSN_AT, syncedLsn);
    const syncedEnd = live.syncedEnd / format.FRAME_ALIGNMENT;
    view.setUint32(FRAME_AT + format.FRAME_SYNCED_END_AT, syncedEnd, true);
    putU64(view, OFFSET_AT, live.end);
    this.crc = crc32(this.#headerCovered, live.seed);
    view.setUint32(FRAME_AT + format.FRAME_CRC_AT, this.crc, true);
    return this.#frame;
  }

  #setTime(databaseTimeMs: number): void {
    putU64(this.#view, FRAME_AT + format.FRAME_TIME_AT, databaseTimeMs);
    this.#databaseTimeMs = databaseTimeMs;
  }

  #fit(length: number, at: number): void {
    const end = at + length;
    const frameEnd = FRAME_AT + loneFrameBytes(length);
    this.#bytes.fill(0, end, frameEnd);
    this.#frame = this.#bytes.subarray(FRAME_AT, frameEnd);
    this.#payload = this.#bytes.subarray(FRAME_AT + format.FRAME_HEADER_BYTES, end);
    this.#recordLength = length;
    const view = this.#view;
    view.setUint32(FRAME_AT + format.FRAME_PAYLOAD_BYTES_AT, this.#payload.length, true);
    view.setUint32(FRAME_AT + format.FRAME_UNIT_BYTES_AT, this.#payload.length, true);
  }
}
