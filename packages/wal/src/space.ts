/**
 * Room on disk, reserved before an LSN is assigned (R7).
 *
 *     slot     a file that records will go to: the segment being written, then spares in order
 *     end      where the next frame goes, in bytes
 *     reserved how far the file is filled with zeros: blocks the disk has already given
 *
 * Invariants
 *  1. `end + trailer <= reserved` in every slot that holds something: what was submitted, and the
 *     trailer behind it, cannot fail for want of space.
 *  2. `choose` called twice with the same need gives the same slot.
 *  3. A spare is not part of the log: it has another name until the rotation that needs it.
 *
 * `ftruncate` reserves nothing, so zeros are written; they also make later syncs cheaper, since
 * neither size nor block map change.
 */
import { type Vfs, type VfsFile, writeFullySync } from '@nendb/vfs';
import { explained, isNoSpace, WalError } from './errors.js';
import { segmentName } from './format.js';
import { FILL_BYTES, SPARE_STEP_BYTES } from './limits.js';

export interface Slot {
  readonly sequence: number;
  readonly file: VfsFile;
  readonly twin: VfsFile | undefined;
  /** The path the file has now, where it is not the segment's own. */
  readonly sparePath: string | undefined;
  end: number;
  reserved: number;
  /** Whether a frame with records was placed in it. */
  used: boolean;
  /** A sync of the zeros of a spare is under way in the pool. */
  syncing: Promise<void> | undefined;
  /** How much of a spare's zeros a sync has been asked to cover. */
  syncedTo: number;
}

export interface SpaceOptions {
  dir: string;
  segmentBytesMax: number;
  /** Header bytes of a segment of this opening. */
  headerBytes: number;
  /** Bytes kept for the trailer behind everything. */
  trailerBytes: number;
  /** Zeros written at a time; 0 reserves nothing. */
  stepBytes: number;
}

export class Space {
  readonly #vfs: Vfs;
  readonly #options: SpaceOptions;
  readonly #zeros: Uint8Array;
  readonly #onFailure: (kind: 'write' | 'sync', error: unknown) => WalError;
  #tail: Slot;
  #spare: Slot | undefined;
  /** Spares that are open: the one built ahead, and those that wait for their rotation. */
  #waiting: Slot[] = [];

  /** `onFailure` poisons the log: a write failed for another reason than space, or a sync. */
  constructor(
    vfs: Vfs,
    options: SpaceOptions,
    tail: Slot,
    onFailure: (kind: 'write' | 'sync', error: unknown) => WalError,
  ) {
    this.#vfs = vfs;
    this.#options = options;
    this.#zeros = new Uint8Array(Math.min(options.stepBytes, FILL_BYTES));
    this.#onFailure = onFailure;
    this.#tail = tail;
  }

  /** Where the newest records go. */
  get tail(): Slot {
    return this.#tail;
  }

  /** Whether less than `bytes` are reserved behind the newest record, in the segment it is in. */
  lacks(bytes: number): boolean {
    return this.#tail.reserved < this.#restTarget(bytes);
  }

  #restTarget(bytes: number): number {
    const { segmentBytesMax, stepBytes } = this.#options;
    if (stepBytes === 0) return 0;
    return Math.min(segmentBytesMax, Math.ceil((this.#tail.end + bytes) / stepBytes) * stepBytes);
  }

  /** A step towards `bytes` reserved; returns the bytes that it wrote, 0 where there is no more to do. */
  fillAhead(bytes: number): number {
    const slot = this.#tail;
    const from = slot.reserved;
    const target = this.#restTarget(bytes);
    if (from >= target) return 0;
    try {
      this.#fill(slot, Math.min(target, from + SPARE_STEP_BYTES));
    } catch (error) {
      // See `buildAhead`.
      if (!(error instanceof WalError)) throw error;
      return 0;
    }
    return slot.reserved - from;
  }

  /** Whether the segment is half full and its successor is behind what that asks for. */
  get wantsSpare(): boolean {
    if (this.#tail.end * 2 <= this.#options.segmentBytesMax) return false;
    return !this.#spare || this.#spare.syncedTo < this.#aheadTarget;
  }

  /**
   * How far the successor should be filled by now: completely when the segment is full, so that
   * nobody who appends has to wait for zeros then.
   */
  get #aheadTarget(): number {
    const { segmentBytesMax, headerBytes, trailerBytes, stepBytes } = this.#options;
    if (stepBytes === 0) return headerBytes;
    const pace = Math.min(segmentBytesMax, this.#tail.end * 2 - segmentBytesMax);
    return Math.ceil(Math.max(pace, headerBytes + trailerBytes) / stepBytes) * stepBytes;
  }

  /**
   * The slot that has, or is made to have, `bytes` more. Throws `WAL_FULL`; then nothing that
   * matters has changed, and a later call may succeed.
   */
  choose(bytes: number): Slot {
    const { segmentBytesMax, trailerBytes } = this.#options;
    const needed = bytes + trailerBytes;
    if (this.#tail.end + needed <= segmentBytesMax || !this.#tail.used) {
      if (this.#tail.end + needed <= this.#tail.reserved) return this.#tail;
      // Where the disk is full the spare may have what the segment cannot get.
      if (this.#tail.used && this.#spare && this.#spare.end + needed <= this.#spare.reserved) {
        return this.#tryReserve(this.#tail, needed) ? this.#tail : this.#spare;
      }
      this.#reserve(this.#tail, needed);
      return this.#tail;
    }
    const spare = this.#openSpare();
    if (spare.end + needed > spare.reserved) this.#reserve(spare, needed);
    return spare;
  }

  /** Records go to `slot` from now on: one that `choose` gave. */
  take(slot: Slot): void {
    if (slot === this.#spare) this.#spare = undefined;
    this.#tail = slot;
  }

  /** Whether `bytes` of a control frame have room in the newest slot as it is. */
  fitsControl(bytes: number): boolean {
    const end = this.#tail.end + bytes + this.#options.trailerBytes;
    return end <= this.#tail.reserved && end <= this.#options.segmentBytesMax;
  }

  /** Whether the trailer has room in the newest slot, or gets it: a log that is only read has none. */
  reserveTrailer(): boolean {
    const slot = this.#tail;
    const needed = slot.end + this.#options.trailerBytes;
    if (needed <= slot.reserved) return true;
    try {
      this.#fill(slot, needed);
    } catch (error) {
      // Full, or failed: then the log has been told.
      if (error instanceof WalError) return false;
      throw error;
    }
    return true;
  }

  /**
   * A step towards the next segment, if there is room for it: opens the spare, then fills it with
   * zeros piece by piece, which it syncs in the pool. Rotation then only has to name it.
   */
  buildAhead(): void {
    try {
      const spare = this.#openSpare();
      const target = this.#aheadTarget;
      if (spare.reserved < target) {
        this.#fill(spare, Math.min(target, spare.reserved + SPARE_STEP_BYTES));
        if (spare.reserved < target) return;
      }
      if (!spare.syncing) this.#syncAhead(spare);
    } catch (error) {
      // Nobody asked for the room yet: whoever does will be told, of a full disk or of a failed one.
      if (!(error instanceof WalError)) throw error;
    }
  }

  #syncAhead(spare: Slot): void {
    spare.syncedTo = spare.reserved;
    const syncing = spare.file.sync().then(
      () => {
        spare.syncing = undefined;
      },
      (error: unknown) => {
        spare.syncing = undefined;
        this.#onFailure('sync', error);
      },
    );
    spare.syncing = syncing;
  }

  /** A slot has become the segment that is written to. */
  promoted(slot: Slot): void {
    this.#waiting = this.#waiting.filter((other) => other !== slot);
  }

  /** Closes the spares; with `unlink`, nothing was placed in them and they go. */
  async discardSpares(unlink: boolean): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#spare = undefined;
    for (const { file, twin } of waiting) {
      await twin?.close();
      await file.close();
    }
    if (!unlink) return;
    for (const { sparePath } of waiting) {
      if (sparePath !== undefined) await this.#vfs.unlink(sparePath);
    }
  }

  #openSpare(): Slot {
    if (this.#spare) return this.#spare;
    const { dir, headerBytes, stepBytes } = this.#options;
    const sequence = this.#tail.sequence + 1;
    const sparePath = `${dir}/${segmentName(sequence, 'spare')}`;
    try {
      const file = this.#vfs.openSync(sparePath, 'create');
      this.#spare = {
        sequence,
        file,
        twin: this.#openTwin(file, sparePath),
        sparePath,
        end: headerBytes,
        reserved: stepBytes === 0 ? Number.MAX_SAFE_INTEGER : 0,
        used: false,
        syncing: undefined,
        syncedTo: 0,
      };
      this.#waiting.push(this.#spare);
      return this.#spare;
    } catch (error) {
      throw full(sparePath, error);
    }
  }

  #openTwin(file: VfsFile, path: string): VfsFile {
    try {
      return this.#vfs.openSync(path, 'write');
    } catch (error) {
      file.closeSync();
      this.#vfs.unlinkSync(path);
      throw error;
    }
  }

  /** `#reserve`; says whether that could be had. Throws where the log has failed. */
  #tryReserve(slot: Slot, needed: number): boolean {
    try {
      this.#reserve(slot, needed);
      return true;
    } catch (error) {
      if (isFull(error)) return false;
      throw error;
    }
  }

  /** Writes zeros behind what `slot` has reserved until `needed` more than its end are there. */
  #reserve(slot: Slot, needed: number): void {
    const step = this.#options.stepBytes;
    const target = Math.ceil((slot.end + needed) / step) * step;
    try {
      this.#fill(slot, target);
    } catch (error) {
      // A full disk may have given enough for this time; a log that has failed takes nothing more.
      if (!isFull(error) || slot.end + needed > slot.reserved) throw error;
    }
  }

  /** Writes zeros up to `target`. Throws `WAL_FULL`. */
  #fill(slot: Slot, target: number): void {
    const step = this.#zeros.length;
    try {
      while (slot.reserved < target) {
        // Whole pages but for the first: what lies behind the header begins inside of one.
        const bytes = Math.min(step - (slot.reserved % step), target - slot.reserved);
        const zeros = bytes === step ? this.#zeros : this.#zeros.subarray(0, bytes);
        writeFullySync(slot.file, zeros, slot.reserved);
        slot.reserved += bytes;
      }
    } catch (error) {
      const path = `${this.#options.dir}/${segmentName(slot.sequence)}`;
      throw isNoSpace(error) ? full(path, error) : this.#onFailure('write', error);
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof WalError && error.code === 'WAL_FULL';
}

function full(path: string, error: unknown): WalError {
  const cause = explained(error);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new WalError(
    'WAL_FULL',
    `no room to append to ${path} (${why}): nothing was written; free disk space and try again`,
    { file: path, cause },
  );
}
