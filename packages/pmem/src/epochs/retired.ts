/**
 * Blocks that were unlinked and wait for the readers that may still look at them: a queue in the
 * order of their epochs. It lives in private memory; what a crash leaves is the allocator's to find.
 */

/** Room for this many is taken back at once when the front has been used up. */
const COMPACT_MIN = 1024;

export class RetiredQueue {
  #offsets: number[] = [];
  #bytes: number[] = [];
  #tags: number[] = [];
  #actions: ((() => void) | undefined)[] = [];
  #head = 0;
  #totalBytes = 0;

  get length(): number {
    return this.#tags.length - this.#head;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Epoch of the oldest; only where there is one. */
  get headTag(): number {
    return this.#tags[this.#head];
  }

  push(offset: number, bytes: number, tag: number, action?: () => void): void {
    this.#offsets.push(offset);
    this.#bytes.push(bytes);
    this.#tags.push(tag);
    this.#actions.push(action);
    this.#totalBytes += bytes;
  }

  /** Takes the oldest out and hands it to `free`, or runs its action. */
  shift(free: (offset: number, bytes: number) => void): void {
    const at = this.#head++;
    const bytes = this.#bytes[at];
    const action = this.#actions[at];
    this.#totalBytes -= bytes;
    const offset = this.#offsets[at];
    if (this.#head >= COMPACT_MIN && this.#head * 2 >= this.#tags.length) this.#compact();
    if (action === undefined) free(offset, bytes);
    else action();
  }

  #compact(): void {
    for (const list of [this.#offsets, this.#bytes, this.#tags, this.#actions]) {
      list.splice(0, this.#head);
    }
    this.#head = 0;
  }
}
