/** Epochs as a reading thread sees them: it registers readers, and is gone when its port closes. */
import type { MessagePort } from 'node:worker_threads';
import { PmemError } from '../errors.js';
import { EpochSlots } from './epoch-slots.js';
import { EpochReader } from './reader.js';

/** What `Epochs.share()` posts. */
export interface EpochsHandle {
  readonly kind: 'nendb-epochs';
  readonly slots: SharedArrayBuffer;
  /** Who claims slots through this handle. */
  readonly attachment: number;
  readonly port: MessagePort;
}

export class AttachedEpochs {
  readonly #handle: EpochsHandle;
  readonly #slots: EpochSlots;

  constructor(handle: EpochsHandle) {
    if (handle?.kind !== 'nendb-epochs') {
      throw new PmemError(
        'PMEM_BAD_OPTION',
        'expected the handle that share() gave, got something else: post it with its transfer list',
      );
    }
    this.#handle = handle;
    this.#slots = new EpochSlots(handle.slots);
    handle.port.unref();
  }

  /** A reader on this thread. Throws `PMEM_EPOCH_SLOTS`. */
  register(): EpochReader {
    return new EpochReader(this.#slots, this.#handle.attachment);
  }

  /** Gives every reader of this attachment up, as the end of the thread does. */
  close(): void {
    this.#slots.releaseAll(this.#handle.attachment);
    this.#handle.port.close();
  }
}
