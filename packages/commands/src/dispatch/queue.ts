/**
 * What a client has queued between MULTI and EXEC, packed: no object per queued command.
 *
 *     bytes   the arguments of all requests, one behind the other
 *     words   per request: command index, argc, end of each argument in `bytes`
 *
 * Invariants
 *  1. An argument begins where the one before it ends, also across requests: ends suffice.
 *  2. `allocatedBytes` is what both arrays really take, room that is not used yet included, and never
 *     exceeds the bound given to `add`. Nothing is allocated before the first request.
 *
 * A queued `PING` takes 16 bytes this way; as an object with its own arrays it took about 630.
 */
import { QUEUE_BYTES_MIN, QUEUE_WORDS_MIN, REPLAY_ARGUMENTS_KEPT } from '../limits.js';
import type { Command } from '../table/row.js';
import { argumentBytes, type Request } from './request.js';

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;
/** Words of a request besides those of its arguments: command index and argc. */
const HEADER_WORDS = 2;

/** Longer arguments are copied by the runtime; for short ones the call, and its view, cost more. */
const COPIED_HERE_MAX = 64;

const NO_BYTES = Buffer.alloc(0);
const NO_WORDS = new Int32Array(0);

export class TransactionQueue {
  bytes: Buffer = NO_BYTES;
  words: Int32Array = NO_WORDS;
  /** Words in use. */
  wordsEnd = 0;
  /** Requests queued. */
  count = 0;
  /** A command was refused while queueing: EXEC will refuse them all. */
  failed = false;
  /** Whether any of them may change data. */
  writes = false;
  #bytesEnd = 0;

  /** What the queue takes of the memory. */
  get allocatedBytes(): number {
    return this.bytes.length + this.words.length * WORD_BYTES;
  }

  /** Copies the request; `false` where the queue would then take more than `bytesMax`. */
  add(command: Command, request: Request, bytesMax: number): boolean {
    const { argc } = request;
    if (!this.#reserve(argumentBytes(request), HEADER_WORDS + argc, bytesMax)) return false;
    const { bytes, words } = this;
    let wordAt = this.wordsEnd;
    let byteAt = this.#bytesEnd;
    words[wordAt++] = command.index;
    words[wordAt++] = argc;
    for (let i = 0; i < argc; i++) {
      const from = request.starts[i];
      const to = request.ends[i];
      if (to - from > COPIED_HERE_MAX) bytes.set(request.bytes.subarray(from, to), byteAt);
      else for (let j = from; j < to; j++) bytes[byteAt + j - from] = request.bytes[j];
      byteAt += to - from;
      words[wordAt++] = byteAt;
    }
    this.wordsEnd = wordAt;
    this.#bytesEnd = byteAt;
    this.count++;
    this.writes ||= command.isWrite;
    return true;
  }

  /** Refuses the transaction from here on and gives its memory back. */
  fail(): void {
    this.failed = true;
    this.bytes = NO_BYTES;
    this.words = NO_WORDS;
    this.wordsEnd = 0;
    this.count = 0;
    this.#bytesEnd = 0;
  }

  #reserve(moreBytes: number, moreWords: number, bytesMax: number): boolean {
    const bytesNeeded = this.#bytesEnd + moreBytes;
    const wordsNeeded = this.wordsEnd + moreWords;
    if (bytesNeeded + wordsNeeded * WORD_BYTES > bytesMax) return false;
    if (bytesNeeded > this.bytes.length) {
      const room = bytesMax - Math.max(this.words.length, wordsNeeded) * WORD_BYTES;
      if (bytesNeeded > room) return false;
      const larger = Buffer.allocUnsafeSlow(
        Math.min(room, Math.max(QUEUE_BYTES_MIN, bytesNeeded, this.bytes.length * 2)),
      );
      this.bytes.copy(larger, 0, 0, this.#bytesEnd);
      this.bytes = larger;
    }
    if (wordsNeeded > this.words.length) {
      const room = Math.floor((bytesMax - this.bytes.length) / WORD_BYTES);
      if (wordsNeeded > room) return false;
      const larger = new Int32Array(
        Math.min(room, Math.max(QUEUE_WORDS_MIN, wordsNeeded, this.words.length * 2)),
      );
      larger.set(this.words.subarray(0, this.wordsEnd));
      this.words = larger;
    }
    return true;
  }
}

/**
 * Replays a queue as requests, in order: one view, filled anew by each `next`.
 *
 *     for (reader.open(queue); reader.next(); ) run(reader.commandIndex, reader);
 */
export class QueueReader implements Request {
  argc = 0;
  bytes: Uint8Array = NO_BYTES;
  starts = new Int32Array(REPLAY_ARGUMENTS_KEPT);
  ends = new Int32Array(REPLAY_ARGUMENTS_KEPT);
  /** `Command.index` of the request. */
  commandIndex = 0;
  #words: Int32Array = NO_WORDS;
  #wordsEnd = 0;
  #wordAt = 0;
  #byteAt = 0;

  /** Stands before the first request of `queue`. */
  open(queue: TransactionQueue): void {
    this.bytes = queue.bytes;
    this.#words = queue.words;
    this.#wordsEnd = queue.wordsEnd;
    this.#wordAt = 0;
    this.#byteAt = 0;
  }

  /** Goes to the next request; `false`, and lets go of the queue, where there is none. */
  next(): boolean {
    if (this.#wordAt >= this.#wordsEnd) {
      this.close();
      return false;
    }
    const words = this.#words;
    this.commandIndex = words[this.#wordAt++];
    const argc = words[this.#wordAt++];
    this.argc = argc;
    if (argc > this.starts.length) {
      this.starts = new Int32Array(argc);
      this.ends = new Int32Array(argc);
    }
    for (let i = 0; i < argc; i++) {
      this.starts[i] = this.#byteAt;
      this.#byteAt = words[this.#wordAt++];
      this.ends[i] = this.#byteAt;
    }
    return true;
  }

  /** Lets go of the queue's memory. */
  close(): void {
    this.bytes = NO_BYTES;
    this.#words = NO_WORDS;
    this.#wordsEnd = 0;
    this.#wordAt = 0;
    if (this.starts.length > REPLAY_ARGUMENTS_KEPT) {
      this.starts = new Int32Array(REPLAY_ARGUMENTS_KEPT);
      this.ends = new Int32Array(REPLAY_ARGUMENTS_KEPT);
    }
  }
}
