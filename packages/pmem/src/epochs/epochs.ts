/**
 * Epoch-based reclamation (Fraser, "Practical lock-freedom", 2004, section 5.2.3): the writer frees a
 * block only when no reader can still be looking at it, and readers take no lock.
 *
 *     writer   unlink ─▶ retire (tagged with the epoch) ─▶ ... tryAdvance, tryAdvance ─▶ reclaim
 *     reader   enter (announces the epoch) ─▶ follow words ─▶ exit
 *
 * Invariants
 *  1. A block is unlinked before it is retired.
 *  2. A retired block belongs to nobody: a crash gives it back, since no reader survives one.
 *  3. A reader whose thread died is no reader: its slots are freed when its port closes.
 *
 * Concurrency: the region's owner retires, advances and reclaims; every thread may register.
 */
import { MessageChannel } from 'node:worker_threads';
import { PmemError } from '../errors.js';
import { RECLAIM_BLOCKS_DEFAULT } from '../limits.js';
import type { Region } from '../region.js';
import type { RegionShare } from '../types.js';
import { AttachedEpochs, type EpochsHandle } from './attached-epochs.js';
import { EpochSlots } from './epoch-slots.js';
import { EpochReader } from './reader.js';
import { RetiredQueue } from './retired.js';

/** The attachment of the thread that owns the region. */
const OWN_ATTACHMENT = 1;

export interface EpochStats {
  /** The current epoch, which wraps at 2^30. */
  epoch: number;
  /** Readers registered, of all threads. */
  readers: number;
  /** Readers inside a guard at this moment. */
  activeReaders: number;
  retiredBlocks: number;
  /** Bytes that wait for readers: garbage, which counts as memory in use. */
  retiredBytes: number;
}

export class Epochs {
  readonly #region: Region;
  readonly #slots = new EpochSlots();
  readonly #retired = new RetiredQueue();
  readonly #free: (offset: number, bytes: number) => void;
  #attachments = OWN_ATTACHMENT;

  static create(region: Region): Epochs {
    return new Epochs(region);
  }

  /** What another thread's `share()` gave. */
  static attach(handle: unknown): AttachedEpochs {
    return new AttachedEpochs(handle as EpochsHandle);
  }

  private constructor(region: Region) {
    this.#region = region;
    this.#free = (offset, bytes) => region.free(offset, bytes);
  }

  /** A reader on this thread. Throws `PMEM_EPOCH_SLOTS`. */
  register(): EpochReader {
    return new EpochReader(this.#slots, OWN_ATTACHMENT);
  }

  /**
   * Frees the allocation of `bytes` bytes at `offset` when no reader can see it any more. It was
   * unlinked before; if it still belongs to a structure, it does not from here on.
   */
  retire(offset: number, bytes: number): void {
    if (this.#region.sizeOf(offset) !== bytes) {
      throw new PmemError(
        'PMEM_BAD_ADDRESS',
        `expected an allocation of ${bytes} bytes at offset ${offset}, got one of ${this.#region.sizeOf(offset)}: retire what was allocated`,
      );
    }
    this.#region.disown(offset);
    this.#retired.push(offset, bytes, this.#slots.epoch);
  }

  /** Runs `action` when no reader is left that came before this call. `bytes` is for the count. */
  defer(action: () => void, bytes = 0): void {
    this.#retired.push(0, bytes, this.#slots.epoch, action);
  }

  /** Goes to the next epoch, unless a reader holds it back. */
  tryAdvance(): boolean {
    return this.#slots.tryAdvance();
  }

  /**
   * Frees what no reader can see, at most `blocksMax` blocks, advancing where that helps; returns
   * how many were freed. Bounded: call it a little at a time.
   */
  reclaim(blocksMax = RECLAIM_BLOCKS_DEFAULT): number {
    let freed = 0;
    while (freed < blocksMax && this.#retired.length > 0) {
      if (this.#slots.isPast(this.#retired.headTag)) {
        this.#retired.shift(this.#free);
        freed++;
      } else if (!this.#slots.tryAdvance()) break;
    }
    return freed;
  }

  get stats(): EpochStats {
    const { claimed, active } = this.#slots.count();
    return {
      epoch: this.#slots.epoch,
      readers: claimed,
      activeReaders: active,
      retiredBlocks: this.#retired.length,
      retiredBytes: this.#retired.totalBytes,
    };
  }

  /**
   * For one other thread: post `handle` with `transfer`, there `Epochs.attach(handle)`. When that
   * thread ends, however it does, its readers stop holding anything back.
   */
  share(): RegionShare {
    const attachment = ++this.#attachments;
    const { port1, port2 } = new MessageChannel();
    port1.on('close', () => this.#slots.releaseAll(attachment));
    port1.unref();
    const handle: EpochsHandle = {
      kind: 'nendb-epochs',
      slots: this.#slots.buffer,
      attachment,
      port: port2,
    };
    return { handle, transfer: [port2] };
  }
}
