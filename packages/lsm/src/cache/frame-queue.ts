/** A first-in, first-out queue of frames, linked through the frames themselves: no allocation. */
import type { Frame } from './frame.js';

export class FrameQueue {
  length = 0;
  /** The capacity of its frames, in bytes. */
  bytes = 0;
  #first: Frame | undefined;
  #last: Frame | undefined;

  push(frame: Frame): void {
    frame.before = this.#last;
    frame.behind = undefined;
    if (this.#last === undefined) this.#first = frame;
    else this.#last.behind = frame;
    this.#last = frame;
    this.length++;
    this.bytes += frame.capacity;
  }

  /** Takes out the frame that has waited longest. */
  shift(): Frame | undefined {
    const frame = this.#first;
    if (frame !== undefined) this.remove(frame);
    return frame;
  }

  /** Takes `frame`, which is in this queue, out of it. */
  remove(frame: Frame): void {
    const { before, behind } = frame;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    frame.before = undefined;
    frame.behind = undefined;
    this.length--;
    this.bytes -= frame.capacity;
  }
}
