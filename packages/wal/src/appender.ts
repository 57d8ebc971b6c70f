/**
 * From records to groups: assigns LSNs, copies bytes, decides which file and offset each gets.
 *
 *     submit --> open group --(full, or another slot)--> ready groups --take()--> the writer
 *
 * Invariants
 *  1. LSNs are contiguous; everything before `place` assigns one may fail, nothing after it does.
 *  2. Place is fixed at once: position and order are known when `submit` returns.
 *  3. Buffers go back to the appender only after their write has finished (`recycle`).
 *
 * Hot: `submit` copies once, makes no promise and, except at frame and group boundaries, no object.
 */
import type { Lsn } from '@nendb/codec';
import {
  FRAGMENT_PAYLOAD_BYTES,
  type FrameEncoding,
  framedBytesMax,
  Group,
  recordBytes,
} from './group.js';
import {
  FRAME_BYTES_TARGET,
  GROUP_BUFFERS_KEPT,
  GROUP_BYTES_MAX,
  GROUP_BYTES_MIN,
} from './limits.js';
import type { Marks } from './marks.js';
import type { Slot, Space } from './space.js';

export class Appender {
  readonly #space: Space;
  readonly #marks: Marks;
  readonly #epoch: number;
  readonly #frameBytesTarget: number;
  readonly #encoding: FrameEncoding;
  #lastLsn: number;
  #open: Group | undefined;
  #ready: Group[] = [];
  #buffers: Uint8Array[] = [];
  /** Where the newest unit's first frame is: for positions. */
  lastOffset = 0;

  constructor(
    space: Space,
    marks: Marks,
    epoch: number,
    segmentBytesMax: number,
    encoding: FrameEncoding,
  ) {
    this.#encoding = encoding;
    this.#space = space;
    this.#marks = marks;
    this.#epoch = epoch;
    this.#lastLsn = marks.writtenLsn;
    this.#frameBytesTarget = Math.min(FRAME_BYTES_TARGET, Math.floor(segmentBytesMax / 4));
  }

  get lastLsn(): Lsn {
    return this.#lastLsn as Lsn;
  }

  /** Makes sure that a record of `length` bytes has room. Throws `WAL_FULL`. */
  admit(length: number): void {
    this.#space.choose(framedBytesMax(recordBytes(length)));
  }

  /** Appends one record; returns its LSN. Throws `WAL_FULL` unless it was admitted. */
  submit(bytes: Uint8Array, from: number, to: number): Lsn {
    const unitBytes = recordBytes(to - from);
    const slot = this.#space.choose(framedBytesMax(unitBytes));
    if (unitBytes > FRAGMENT_PAYLOAD_BYTES) {
      return this.#placeFragmented(slot, [bytes.subarray(from, to)], unitBytes);
    }
    const group = this.#frameFor(slot, unitBytes);
    group.put(bytes, from, to);
    return this.#placed(group, 1, unitBytes);
  }

  /** Gives the next LSN to a record that is written elsewhere, in a frame of its own at `offset`. */
  assign(unitBytes: number, offset: number): Lsn {
    this.#lastLsn++;
    this.#marks.submitted(unitBytes);
    this.lastOffset = offset;
    return this.#lastLsn as Lsn;
  }

  /** Appends records as one unit; returns the LSN of the first. Throws `WAL_FULL`. */
  submitBatch(records: readonly Uint8Array[], unitBytes: number): Lsn {
    const slot = this.#space.choose(framedBytesMax(unitBytes));
    if (unitBytes > FRAGMENT_PAYLOAD_BYTES) return this.#placeFragmented(slot, records, unitBytes);
    if (records.length === 1) return this.submit(records[0], 0, records[0].length);
    // A frame of its own, for a cut may come between records, and never inside of a batch.
    this.#open?.endFrame();
    const group = this.#frameFor(slot, unitBytes);
    for (const record of records) group.put(record, 0, record.length);
    group.endBatch();
    return this.#placed(group, records.length, unitBytes);
  }

  /** The oldest group that is not written yet; the open one is sealed when it is its turn. */
  take(): Group | undefined {
    if (this.#ready.length > 0) return this.#ready.shift();
    const group = this.#open;
    this.#open = undefined;
    if (group) this.#end(group);
    return group;
  }

  /** Whether anything waits to be written. */
  get isEmpty(): boolean {
    return !this.#open && this.#ready.length === 0;
  }

  recycle(group: Group): void {
    if (this.#buffers.length < GROUP_BUFFERS_KEPT && group.bytes.length <= GROUP_BYTES_MAX) {
      this.#buffers.push(group.bytes);
    }
  }

  #frameFor(slot: Slot, unitBytes: number): Group {
    const bytes = framedBytesMax(unitBytes);
    let group = this.#open;
    if (!group || group.slot !== slot || group.length + bytes > GROUP_BYTES_MAX) {
      group = this.#openGroup(slot, bytes);
    } else {
      // The next frame may begin here, behind the end of the open one.
      group.ensure(group.endedBytes + bytes);
    }
    const payload = group.openPayloadBytes;
    if (payload < 0 || payload + unitBytes > this.#frameBytesTarget) {
      group.startFrame(this.#lastLsn + 1, this.#epoch);
    }
    return group;
  }

  #openGroup(slot: Slot, bytes: number): Group {
    this.#seal();
    this.#space.take(slot);
    const group = new Group(
      slot,
      this.#buffers.pop() ?? new Uint8Array(GROUP_BYTES_MIN),
      this.#encoding,
    );
    group.ensure(bytes);
    this.#open = group;
    return group;
  }

  #placeFragmented(slot: Slot, records: readonly Uint8Array[], unitBytes: number): Lsn {
    this.#seal();
    this.#space.take(slot);
    const group = new Group(slot, new Uint8Array(framedBytesMax(unitBytes)), this.#encoding);
    group.putFragmented(records, unitBytes, this.#lastLsn + 1, this.#epoch);
    this.#open = group;
    const first = this.#placed(group, records.length, unitBytes);
    this.lastOffset = group.fileOffset;
    this.#seal();
    return first;
  }

  #placed(group: Group, count: number, unitBytes: number): Lsn {
    const first = (this.#lastLsn + 1) as Lsn;
    this.#lastLsn += count;
    group.lastLsn = this.#lastLsn;
    group.units++;
    group.unitBytes += unitBytes;
    this.#marks.submitted(unitBytes);
    this.lastOffset = group.frameOffset;
    group.slot.end = group.fileEnd;
    group.slot.used = true;
    return first;
  }

  #seal(): void {
    const group = this.#open;
    if (!group) return;
    this.#end(group);
    this.#ready.push(group);
    this.#open = undefined;
  }

  /** Compression may leave less of a frame than was counted while it was open. */
  #end(group: Group): void {
    group.endFrame();
    group.slot.end = group.fileEnd;
  }
}
