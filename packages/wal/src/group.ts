/**
 * A group: bytes of one contiguous write, being filled with frames and then written.
 *
 * Invariants
 *  1. A group belongs to one slot and starts at the file offset where the group before it ends.
 *  2. It is filled, then sealed, then given its checksums, then written; never touched after that,
 *     because an asynchronous write may still hold its buffer.
 *  3. A unit lies in one group. A fragmented unit has a group of its own.
 */
import {
  type Compression,
  type FileCipher,
  putUvarint,
  TAG_BYTES,
  uvarintBytes,
} from '@nendb/codec';
import { compressInPlace } from './compressed-frame.js';
import * as format from './format.js';
import { chainAfter, emptyFrameHeader, type FrameHeader } from './frame.js';
import { FRAME_BYTES_MAX } from './limits.js';
import { sealFrame } from './sealing.js';
import type { Slot } from './space.js';
import { viewOf } from './u64.js';

/** Payload bytes of a full fragment. */
export const FRAGMENT_PAYLOAD_BYTES = FRAME_BYTES_MAX - format.FRAME_HEADER_BYTES - TAG_BYTES;

/** What finishing a group adds to each frame. */
export interface FrameStamp {
  seed: number;
  cipher: FileCipher | undefined;
  databaseTimeMs: number;
  syncedLsn: number;
  syncedEnd: number;
}

/** What becomes of payloads on their way to the disk. */
export interface FrameEncoding {
  compression: Compression;
  sealed: boolean;
}

interface PlacedFrame {
  /** Offset in the group's buffer. */
  at: number;
  header: FrameHeader;
}

export class Group {
  readonly slot: Slot;
  /** Where in the file the first byte goes. */
  readonly fileOffset: number;
  bytes: Uint8Array;
  /** Bytes used. */
  length = 0;
  /** Units in it: how many wait for its sync. */
  units = 0;
  /** Bytes of the records in it, with their lengths. */
  unitBytes = 0;
  lastLsn = 0;
  readonly frames: PlacedFrame[] = [];
  #open: PlacedFrame | undefined;

  readonly #encoding: FrameEncoding;

  constructor(slot: Slot, bytes: Uint8Array, encoding: FrameEncoding) {
    this.slot = slot;
    this.#encoding = encoding;
    this.fileOffset = slot.end;
    this.bytes = bytes;
  }

  /** Payload bytes of the frame that still takes records; -1 where there is none. */
  get openPayloadBytes(): number {
    return this.#open ? this.length - this.#open.at - format.FRAME_HEADER_BYTES : -1;
  }

  /** Bytes used, if the open frame were ended now with its tag: an upper bound before it is. */
  get endedBytes(): number {
    const tag = this.#open && this.#encoding.sealed ? TAG_BYTES : 0;
    return format.alignFrame(this.length + tag);
  }

  /** File offset behind them. */
  get fileEnd(): number {
    return this.fileOffset + this.endedBytes;
  }

  /** File offset of the newest frame. */
  get frameOffset(): number {
    return this.fileOffset + this.frames[this.frames.length - 1].at;
  }

  /** Makes the buffer at least `bytes` long; it doubles, so that filling it is linear. */
  ensure(bytes: number): void {
    if (this.bytes.length >= bytes) return;
    const larger = new Uint8Array(Math.max(bytes, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  startFrame(firstLsn: number, epoch: number): void {
    this.endFrame();
    const header = emptyFrameHeader();
    header.type = format.FrameType.records;
    header.flags = format.FLAG_FIRST | format.FLAG_LAST;
    header.firstLsn = firstLsn;
    header.epoch = epoch;
    this.#open = { at: this.length, header };
    this.frames.push(this.#open);
    this.length += format.FRAME_HEADER_BYTES;
  }

  /** Adds a record to the open frame. The buffer is long enough: `ensure` came first. */
  put(record: Uint8Array, from: number, to: number): void {
    const frame = this.#open;
    if (!frame) throw new Error('a record was put where no frame is open');
    const at = putLength(this.bytes, this.length, to - from);
    copy(this.bytes, at, record, from, to);
    this.length = at + to - from;
    frame.header.count++;
  }

  /** Says that the records of the open frame are one unit, and closes it. */
  endBatch(): void {
    if (this.#open) this.#open.header.flags |= format.FLAG_BATCH;
    this.endFrame();
  }

  /** Closes the open frame, if there is one: pads it and fixes its length. */
  endFrame(): void {
    const frame = this.#open;
    if (!frame) return;
    this.#open = undefined;
    frame.header.unitBytes = this.length - frame.at - format.FRAME_HEADER_BYTES;
    this.fit(frame);
  }

  /** Fixes the length of the newest frame, whose plain payload is complete: from now on it counts. */
  fit({ at, header }: PlacedFrame): void {
    const { compression, sealed } = this.#encoding;
    const from = at + format.FRAME_HEADER_BYTES;
    if (compression !== 'none') {
      const end = compressInPlace(this.bytes, from, this.length, compression);
      if (end < this.length) header.flags |= format.FLAG_COMPRESSED;
      this.length = end;
    }
    if (sealed) this.length += TAG_BYTES;
    header.payloadBytes = this.length - from;
    this.#pad();
  }

  /**
   * Adds `records` as one unit of several frames. `unitBytes`: all their bytes with lengths. The
   * buffer is long enough: `fragmentedBytes`.
   */
  putFragmented(
    records: readonly Uint8Array[],
    unitBytes: number,
    firstLsn: number,
    epoch: number,
  ): void {
    const stream = new FragmentStream(this, records.length, unitBytes, firstLsn, epoch);
    const length = new Uint8Array(uvarintBytes(Number.MAX_SAFE_INTEGER));
    for (const record of records) {
      stream.put(length.subarray(0, putUvarint(length, 0, record.length)));
      stream.put(record);
    }
    stream.end();
  }

  #pad(): void {
    const end = format.alignFrame(this.length);
    this.bytes.fill(0, this.length, end);
    this.length = end;
  }

  /** Gives every frame its place, watermark and checksums; returns the chain behind the last one. */
  finish(stamp: FrameStamp, chain: number): number {
    this.endFrame();
    const view = viewOf(this.bytes);
    let next = chain;
    for (const { at, header } of this.frames) {
      header.databaseTimeMs = stamp.databaseTimeMs;
      header.syncedLsn = stamp.syncedLsn;
      header.syncedEnd = stamp.syncedEnd;
      header.origin = format.ORIGIN_LOCAL;
      const offset = this.fileOffset + at;
      const crc = sealFrame(this.bytes, view, at, header, offset, stamp.seed, stamp.cipher);
      next = chainAfter(next, crc);
    }
    return next;
  }
}

/** Cuts a unit's bytes into frames while they are copied. */
class FragmentStream {
  readonly #group: Group;
  readonly #count: number;
  readonly #unitBytes: number;
  readonly #firstLsn: number;
  readonly #epoch: number;
  #frame: PlacedFrame | undefined;
  #done = 0;
  #room = 0;

  constructor(group: Group, count: number, unitBytes: number, firstLsn: number, epoch: number) {
    this.#group = group;
    this.#count = count;
    this.#unitBytes = unitBytes;
    this.#firstLsn = firstLsn;
    this.#epoch = epoch;
  }

  put(bytes: Uint8Array): void {
    const group = this.#group;
    for (let from = 0; from < bytes.length; ) {
      if (this.#room === 0) this.#startFragment();
      const take = Math.min(this.#room, bytes.length - from);
      copy(group.bytes, group.length, bytes, from, from + take);
      group.length += take;
      this.#room -= take;
      this.#done += take;
      from += take;
    }
  }

  /** Ends the last fragment. */
  end(): void {
    if (this.#frame) this.#group.fit(this.#frame);
    this.#frame = undefined;
  }

  #startFragment(): void {
    this.end();
    const group = this.#group;
    const payloadBytes = Math.min(FRAGMENT_PAYLOAD_BYTES, this.#unitBytes - this.#done);
    const header = emptyFrameHeader();
    header.type = format.FrameType.records;
    header.fragment = this.#done / FRAGMENT_PAYLOAD_BYTES;
    if (this.#done === 0) header.flags |= format.FLAG_FIRST;
    if (this.#done + payloadBytes === this.#unitBytes) header.flags |= format.FLAG_LAST;
    header.firstLsn = this.#firstLsn;
    header.count = this.#count;
    header.unitBytes = this.#unitBytes;
    header.epoch = this.#epoch;
    this.#frame = { at: group.length, header };
    group.frames.push(this.#frame);
    group.length += format.FRAME_HEADER_BYTES;
    this.#room = payloadBytes;
  }
}

/** File bytes of a unit of `unitBytes`, as fragments or as one frame, at most. */
export function framedBytesMax(unitBytes: number): number {
  const frames = Math.max(1, Math.ceil(unitBytes / FRAGMENT_PAYLOAD_BYTES));
  const overhead = format.FRAME_HEADER_BYTES + TAG_BYTES;
  return format.alignFrame(unitBytes + frames * overhead) + format.FRAME_ALIGNMENT;
}

/** Bytes that a record of `length` takes inside a frame. Hot: most lengths have one byte or two. */
export function recordBytes(length: number): number {
  if (length < 0x80) return length + 1;
  if (length < 0x4000) return length + 2;
  return uvarintBytes(length) + length;
}

/** `putUvarint`, without a loop for what most lengths are; the target is long enough. */
function putLength(target: Uint8Array, at: number, length: number): number {
  if (length < 0x80) {
    target[at] = length;
    return at + 1;
  }
  if (length < 0x4000) {
    target[at] = (length & 0x7f) | 0x80;
    target[at + 1] = length >>> 7;
    return at + 2;
  }
  return putUvarint(target, at, length);
}

/** Below this a loop beats the call that makes a view of the source. */
const LOOP_BYTES_MAX = 32;

function copy(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): void {
  if (to - from > LOOP_BYTES_MAX) {
    target.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
    return;
  }
  for (let i = from, j = at; i < to; i++, j++) target[j] = source[i];
}
