/**
 * Walks the frames of one segment, checking everything: the only way frames are read.
 *
 *     const cursor = new FrameCursor(file, segment, end, false);
 *     for (;;) {
 *       const step = cursor.step();
 *       if (step === Step.more) await cursor.fill();
 *       else if (step === Step.frame) use(cursor.header, cursor.bytes, cursor.payloadAt);
 *       else break; // Step.end or Step.bad
 *     }
 *
 * Invariants
 *  1. A frame is reported only if header, payload, padding, LSN order, epoch order and fragment
 *     order are right.
 *  2. `committed*` describes the last whole unit: fragments count once their last one is there.
 *  3. Memory is bounded by one read and one frame. With `keepBuffers` a buffer is never written
 *     again after a frame in it was reported; without, frames are valid until the next `fill`.
 *
 * `step` is synchronous and `fill` is the only wait, so that replaying costs no promise per frame.
 */
import { crc32, type FileCipher } from '@nendb/codec';
import { readFully, type VfsFile } from '@nendb/vfs';
import { decompressPayload } from './compressed-frame.js';
import { WalError } from './errors.js';
import * as format from './format.js';
import {
  CHAIN_START,
  chainAfter,
  emptyFrameHeader,
  type FrameHeader,
  frameBytes,
  readFrameHeader,
} from './frame.js';
import { READ_BYTES } from './limits.js';
import { openFrame } from './sealing.js';
import { viewOf } from './u64.js';

export const Step = { frame: 0, more: 1, end: 2, bad: 3 } as const;
export type Step = (typeof Step)[keyof typeof Step];

/** What a cursor must know of a segment. */
export interface FrameSource {
  /** From `frameSeed`. */
  seed: number;
  headerBytes: number;
  baseLsn: number;
  epoch: number;
  /** Whether frames may be compressed, and whether records are encrypted. */
  compressed: boolean;
  sealed: boolean;
  /** Without it payloads of an encrypted segment are compared with their checksums, and not opened. */
  cipher: FileCipher | undefined;
}

export class FrameCursor {
  readonly header: FrameHeader = emptyFrameHeader();
  bytes: Uint8Array = new Uint8Array(0);
  /** File offset of the current frame, and where its payload starts in `bytes`. */
  offset = 0;
  payloadAt = 0;
  /** The records of the current frame: `plain` from `plainFrom` to `plainTo`. */
  plain: Uint8Array = this.bytes;
  plainFrom = 0;
  plainTo = 0;
  /** The chained checksum, the current frame included. */
  chain = CHAIN_START;
  committedEnd: number;
  committedLsn: number;
  committedChain = CHAIN_START;
  /** Database time of the newest frame, in ms since 1970; 0 before the first. */
  databaseTimeMs = 0;
  /** The highest watermark met. */
  syncedLsn = 0;
  syncedEnd = 0;
  /** Why the last step was `bad`. */
  problem = '';
  /** Payloads of units that end below this LSN are not checked: set it to seek. */
  skipBelowLsn = 0;

  readonly #file: VfsFile;
  readonly #source: FrameSource;
  #end: number;
  readonly #keepBuffers: boolean;
  #view: DataView = viewOf(this.bytes);
  /** File offset of `bytes[0]`, and how much of `bytes` is filled. */
  #start: number;
  #filled = 0;
  #next: number;
  #need = 0;
  #lastEpoch = 0;
  #nextLsn: number;
  /** Fragment expected next; 0 outside of a unit. */
  #fragment = 0;
  #unitBytes = 0;
  #unitCount = 0;
  #unitDone = 0;
  /** Whether the current frame's length without its encoding is known. */
  #opened = true;
  #stored: Uint8Array | undefined;

  /** `end`: where the frames end at the latest, a file offset in bytes. */
  constructor(file: VfsFile, source: FrameSource, end: number, keepBuffers: boolean) {
    this.#file = file;
    this.#source = source;
    this.#end = end;
    this.#keepBuffers = keepBuffers;
    this.#start = source.headerBytes;
    this.#next = source.headerBytes;
    this.#nextLsn = source.baseLsn;
    this.committedEnd = source.headerBytes;
    this.committedLsn = source.baseLsn - 1;
  }

  /** File offset behind the current frame: where the next one starts, or the bad place is. */
  get next(): number {
    return this.#next;
  }

  /**
   * Starts at the unit of LSN `lsn`, at file offset `offset`, before the first `step`. The chained
   * checksum is then not known.
   */
  startAt(lsn: number, offset: number): void {
    this.#start = offset;
    this.#next = offset;
    this.#nextLsn = lsn;
    this.committedEnd = offset;
    this.committedLsn = lsn - 1;
  }

  /** The frames go on to `end` now: what was `Step.end` may be a frame. */
  extend(end: number): void {
    this.#end = end;
  }

  /** Goes to the next frame. After `more`, `fill` and step again. */
  step(): Step {
    const left = this.#end - this.#next;
    const at = this.#next - this.#start;
    const filled = this.#filled - at;
    if (left < format.FRAME_HEADER_BYTES) {
      if (left <= 0) return Step.end;
      if (filled < left) return this.#ask(left);
      return this.#isZero(at, left) ? Step.end : this.#bad('a frame header that is cut off');
    }
    if (filled < format.FRAME_HEADER_BYTES) return this.#ask(format.FRAME_HEADER_BYTES);
    const header = this.header;
    if (!readFrameHeader(this.bytes, this.#view, at, header, this.#next, this.#source.seed)) {
      return this.#isZero(at, format.FRAME_HEADER_BYTES)
        ? Step.end
        : this.#bad('no valid frame header');
    }
    const total = frameBytes(header.payloadBytes);
    if (total > left) return this.#bad(`a frame of ${total} bytes where ${left} are left`);
    if (filled < total) return this.#ask(total);
    const payloadAt = at + format.FRAME_HEADER_BYTES;
    const payloadEnd = payloadAt + header.payloadBytes;
    const skipped = header.firstLsn + header.count <= this.skipBelowLsn;
    if (!skipped && crc32(this.bytes.subarray(payloadAt, payloadEnd)) !== header.payloadCrc) {
      return this.#bad('a payload that does not match its checksum');
    }
    if (!this.#isZero(payloadEnd, at + total - payloadEnd))
      return this.#bad('padding that is not zero');
    this.payloadAt = payloadAt;
    this.plain = this.bytes;
    this.plainFrom = payloadAt;
    this.plainTo = payloadEnd;
    this.#opened = true;
    const encoded = (header.flags & (format.FLAG_COMPRESSED | format.FLAG_ENCRYPTED)) !== 0;
    let problem = this.#wrongFlags(header);
    if (problem === '' && encoded) problem = this.#decode(header, at, skipped);
    if (problem === '') problem = this.#outOfOrder(header);
    if (problem !== '') return this.#bad(problem);
    this.#accept(header, total);
    return Step.frame;
  }

  /** Reads on, at least as far as the last `step` asked. Rejects where the file is too short. */
  async fill(): Promise<void> {
    const at = this.#next - this.#start;
    const kept = this.#filled - at;
    const want = Math.max(this.#need, Math.min(READ_BYTES + this.#need, this.#end - this.#next));
    let target = this.bytes;
    if (this.#keepBuffers || target.length < want) {
      const ample = Math.min(want + READ_BYTES, this.#end - this.#next);
      target = new Uint8Array(Buffer.allocUnsafeSlow(this.#keepBuffers ? want : ample).buffer);
    }
    target.set(this.bytes.subarray(at, this.#filled), 0);
    const room = Math.min(target.length, this.#end - this.#next);
    const position = this.#next + kept;
    const read = await readFully(this.#file, target.subarray(kept, room), position);
    if (target !== this.bytes) {
      this.bytes = target;
      this.#view = viewOf(target);
    }
    this.#start = this.#next;
    this.#filled = kept + read;
    if (this.#filled < this.#need) {
      throw new WalError(
        'WAL_CORRUPT',
        `${this.#file.path} ends at ${position + read}, expected at least ${this.#next + this.#need} bytes: the file was cut off`,
        { file: this.#file.path, offset: position + read },
      );
    }
  }

  /** The payload of the current frame as it is stored under the encryption, if there is any. */
  storedPayload(): Uint8Array {
    if (!this.#opened) {
      throw new WalError(
        'WAL_WRONG_KEY',
        `expected the key of ${this.#file.path} to read its records, got none: give the encryption`,
        { file: this.#file.path },
      );
    }
    return this.#stored ?? this.bytes.subarray(this.plainFrom, this.plainTo);
  }

  /** What about a frame does not fit its segment: never plain bytes in an encrypted one. */
  #wrongFlags({ type, flags }: FrameHeader): string {
    this.#stored = undefined;
    if (type > format.FRAME_TYPE_LAST || (flags & ~format.FLAGS_KNOWN) !== 0) {
      throw new WalError(
        'WAL_TOO_NEW',
        `${this.#file.path}: unknown frame type ${type} or flags ${flags} at offset ${this.#next}: use a newer release`,
        { file: this.#file.path, offset: this.#next },
      );
    }
    const records = type === format.FrameType.records;
    const sealed = (flags & format.FLAG_ENCRYPTED) !== 0;
    if (sealed !== (records && this.#source.sealed)) {
      return sealed
        ? 'an encrypted frame where none is expected'
        : 'a frame in the clear in an encrypted segment';
    }
    const compressed = (flags & format.FLAG_COMPRESSED) !== 0;
    return compressed && !(records && this.#source.compressed)
      ? 'a compressed frame where none is expected'
      : '';
  }

  /** Opens and expands the payload; returns what is wrong with it. */
  #decode(header: FrameHeader, at: number, skipped: boolean): string {
    const { cipher, sealed } = this.#source;
    if (skipped || (sealed && !cipher)) {
      this.#opened = false;
      this.plainTo = this.plainFrom;
      return '';
    }
    let plain = this.bytes.subarray(this.plainFrom, this.plainTo);
    if (cipher) {
      const opened = openFrame(this.bytes, at, header, this.#next, cipher);
      if (!opened) return 'an encrypted payload whose tag does not fit: it was tampered with';
      plain = opened;
    }
    this.#stored = plain;
    if ((header.flags & format.FLAG_COMPRESSED) !== 0) {
      const expanded = decompressPayload(plain);
      if (typeof expanded === 'string') return expanded;
      plain = expanded;
    }
    this.plain = plain;
    this.plainFrom = 0;
    this.plainTo = plain.length;
    return '';
  }

  #ask(bytes: number): Step {
    this.#need = bytes;
    return Step.more;
  }

  #bad(problem: string): Step {
    this.problem = problem;
    return Step.bad;
  }

  #isZero(at: number, length: number): boolean {
    for (let i = at; i < at + length; i++) if (this.bytes[i] !== 0) return false;
    return true;
  }

  /** What about a frame with right checksums does not follow from the ones before it. */
  #outOfOrder(header: FrameHeader): string {
    if (header.firstLsn !== this.#nextLsn) {
      return `LSN ${header.firstLsn} where ${this.#nextLsn} was expected`;
    }
    if (header.epoch < this.#lastEpoch || header.epoch > this.#source.epoch) {
      return `epoch ${header.epoch} after ${this.#lastEpoch} in a segment of epoch ${this.#source.epoch}`;
    }
    if (header.fragment !== this.#fragment) {
      return `fragment ${header.fragment} where ${this.#fragment} was expected`;
    }
    if (header.type !== format.FrameType.records) {
      return header.count === 0 && header.fragment === 0 ? '' : 'a control frame with records';
    }
    const first = (header.flags & format.FLAG_FIRST) !== 0;
    const last = (header.flags & format.FLAG_LAST) !== 0;
    const done = (first ? 0 : this.#unitDone) + this.plainTo - this.plainFrom;
    const same =
      first || (header.unitBytes === this.#unitBytes && header.count === this.#unitCount);
    if (
      header.count === 0 ||
      first !== (header.fragment === 0) ||
      !same ||
      (this.#opened && (last !== (done === header.unitBytes) || done > header.unitBytes))
    ) {
      return `fragment ${header.fragment} (${done} of ${header.unitBytes} bytes, ${header.count} records) does not fit its unit`;
    }
    return '';
  }

  #accept(header: FrameHeader, total: number): void {
    this.offset = this.#next;
    this.#next += total;
    this.chain = chainAfter(this.chain, header.crc);
    this.#lastEpoch = header.epoch;
    this.databaseTimeMs = Math.max(this.databaseTimeMs, header.databaseTimeMs);
    this.syncedLsn = Math.max(this.syncedLsn, header.syncedLsn);
    this.syncedEnd = Math.max(this.syncedEnd, header.syncedEnd);
    if (header.type === format.FrameType.records) {
      this.#unitDone = (header.fragment === 0 ? 0 : this.#unitDone) + this.plainTo - this.plainFrom;
      if ((header.flags & format.FLAG_LAST) === 0) {
        this.#fragment = header.fragment + 1;
        this.#unitBytes = header.unitBytes;
        this.#unitCount = header.count;
        return;
      }
      this.#fragment = 0;
      this.#nextLsn += header.count;
    }
    this.committedEnd = this.#next;
    this.committedLsn = this.#nextLsn - 1;
    this.committedChain = this.chain;
  }
}

/** Goes to the next frame, reading what that needs; `false` at the end, or at a bad place. */
export async function nextFrame(cursor: FrameCursor): Promise<boolean> {
  for (;;) {
    const step = cursor.step();
    if (step !== Step.more) return step === Step.frame;
    await cursor.fill();
  }
}
