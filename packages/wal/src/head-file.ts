/**
 * HEAD: what the log must at least consist of. It makes a vanished segment visible: a log whose
 * last file was deleted looks whole otherwise.
 *
 *     0          48           56         64         72      76     80       88       96     508   512
 *     +----------+------------+----------+----------+-------+------+--------+----------+------+-----+
 *     | preamble | generation | first    | last     | epoch | zero | synced | cut      | zero | crc |
 *     | 48       | u64        | sequence | sequence | u32   | u32  | lsn u64| sequence |      | u32 |
 *     +----------+------------+----------+----------+-------+------+--------+----------+------+-----+
 *
 * Two slots, at 0 and 4096, hold the same; each is written in place and synced before the other
 * is touched, and no disk space is needed to write them (truncating a log must work on a full
 * disk). The valid one with the higher generation counts.
 *
 * Invariants
 *  1. `first sequence` is durable here before a segment below it is unlinked.
 *  2. `last sequence` and `epoch` are durable here before an opening serves; rotation does not
 *     touch HEAD (a `rotated` trailer proves that a successor exists).
 *  3. The slot that was found valid is written last: a crash may have torn the other one before.
 *  4. `cut sequence` commits a cut (see `cut.ts`), and is zero again when that is finished.
 *  5. `synced lsn` was synced in the log before it is here: a log that ends below it lost something.
 */
import { crc32, putPreamble, sameUuid } from '@nendb/codec';
import { readFully, type Vfs, type VfsFile, writeFully } from '@nendb/vfs';
import { corrupt } from './errors.js';
import * as format from './format.js';
import { checkPreamble } from './segment-header.js';
import { getU64, putU64, viewOf } from './u64.js';
import { withFile } from './with-file.js';

export interface Head {
  databaseUuid: Uint8Array;
  generation: number;
  /** Segments below are cut off, whether or not their files are still there. */
  firstSequence: number;
  /** This segment and all between must exist. */
  lastSequence: number;
  epoch: number;
  /** The log reached at least to here. */
  syncedLsn: number;
  /** A cut has replaced the segments from here on and is not finished; 0 where there is none. */
  cutSequence: number;
}

/** What of HEAD may change. */
export type HeadChange = Partial<Omit<Head, 'databaseUuid' | 'generation'>>;

/** HEAD as it was read: what it says, and the file offset of the slot that says so. */
export interface FoundHead extends Head {
  slotAt: number;
}

function encodeHead(head: Head): Uint8Array {
  const bytes = new Uint8Array(format.HEAD_SLOT_BYTES);
  const view = viewOf(bytes);
  putPreamble(bytes, 0, {
    magic: format.HEAD_MAGIC,
    version: format.WAL_VERSION,
    compat: 0,
    readOnlyCompat: 0,
    incompat: 0,
    databaseUuid: head.databaseUuid,
  });
  putU64(view, format.HEAD_GENERATION_AT, head.generation);
  putU64(view, format.HEAD_FIRST_SEQUENCE_AT, head.firstSequence);
  putU64(view, format.HEAD_LAST_SEQUENCE_AT, head.lastSequence);
  view.setUint32(format.HEAD_EPOCH_AT, head.epoch, true);
  putU64(view, format.HEAD_SYNCED_LSN_AT, head.syncedLsn);
  putU64(view, format.HEAD_CUT_SEQUENCE_AT, head.cutSequence);
  view.setUint32(format.HEAD_CRC_AT, crc32(bytes.subarray(0, format.HEAD_CRC_AT)), true);
  return bytes;
}

function decodeSlot(bytes: Uint8Array, file: string): Head | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(format.HEAD_CRC_AT, true) !== crc32(bytes.subarray(0, format.HEAD_CRC_AT))) {
    return undefined;
  }
  return {
    databaseUuid: checkPreamble(bytes, format.HEAD_MAGIC, file).databaseUuid,
    generation: getU64(view, format.HEAD_GENERATION_AT),
    firstSequence: getU64(view, format.HEAD_FIRST_SEQUENCE_AT),
    lastSequence: getU64(view, format.HEAD_LAST_SEQUENCE_AT),
    epoch: view.getUint32(format.HEAD_EPOCH_AT, true),
    syncedLsn: getU64(view, format.HEAD_SYNCED_LSN_AT),
    cutSequence: getU64(view, format.HEAD_CUT_SEQUENCE_AT),
  };
}

/** Reads HEAD at `path`. Throws `WAL_CORRUPT` where no slot is valid, `WAL_TOO_NEW`. */
export function readHead(vfs: Vfs, path: string): Promise<FoundHead> {
  return withFile(vfs, path, async (file) => {
    let best: FoundHead | undefined;
    for (const at of format.HEAD_SLOTS_AT) {
      const bytes = new Uint8Array(format.HEAD_SLOT_BYTES);
      if ((await readFully(file, bytes, at)) < bytes.length) continue;
      const head = decodeSlot(bytes, path);
      if (head === undefined || (best && best.generation >= head.generation)) continue;
      if (best && !sameUuid(best.databaseUuid, head.databaseUuid)) {
        throw corrupt(path, at, 'the two slots name different databases');
      }
      best = { ...head, slotAt: at };
    }
    if (!best) throw corrupt(path, 0, 'neither slot matches its checksum');
    return best;
  });
}

/** HEAD, open for writing. A failed write or sync is final: it throws, and so does every later one. */
export class HeadFile {
  readonly #file: VfsFile;
  #head: Head;
  /** File offset of a slot that is surely valid. */
  readonly #slotAt: number;
  #failure: Error | undefined;
  #step: 'write' | 'sync' = 'write';

  private constructor(file: VfsFile, { slotAt, ...head }: FoundHead) {
    this.#file = file;
    this.#head = head;
    this.#slotAt = slotAt;
  }

  /** Makes HEAD under a temporary name, then gives it its own, durably. */
  static async create(vfs: Vfs, dir: string, head: Head): Promise<HeadFile> {
    const path = `${dir}/${format.HEAD_NAME}`;
    const temporary = `${path}.tmp`;
    if (await vfs.stat(temporary)) await vfs.unlink(temporary);
    const file = await vfs.open(temporary, 'create');
    try {
      await writeFully(file, new Uint8Array(format.HEAD_FILE_BYTES), 0);
      for (const at of format.HEAD_SLOTS_AT) await writeFully(file, encodeHead(head), at);
      await file.sync();
    } finally {
      await file.close();
    }
    await vfs.rename(temporary, path);
    await vfs.syncDir(dir);
    return HeadFile.open(vfs, dir, { ...head, slotAt: format.HEAD_SLOTS_AT[0] });
  }

  /** Opens an existing HEAD that `readHead` has read. */
  static async open(vfs: Vfs, dir: string, head: FoundHead): Promise<HeadFile> {
    return new HeadFile(await vfs.open(`${dir}/${format.HEAD_NAME}`, 'write'), head);
  }

  get head(): Head {
    return this.#head;
  }

  /** What the last `update` was doing: where it failed, if it failed. */
  get step(): 'write' | 'sync' {
    return this.#step;
  }

  /** Writes both slots, durably. */
  async update(change: HeadChange): Promise<void> {
    if (this.#failure) throw this.#failure;
    const head = { ...this.#head, ...change, generation: this.#head.generation + 1 };
    const bytes = encodeHead(head);
    const others = format.HEAD_SLOTS_AT.filter((at) => at !== this.#slotAt);
    try {
      for (const at of [...others, this.#slotAt]) {
        this.#step = 'write';
        await writeFully(this.#file, bytes, at);
        this.#step = 'sync';
        await this.#file.sync({ dataOnly: true });
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
    this.#head = head;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
