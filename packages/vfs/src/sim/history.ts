/**
 * The log of what changed the disk, and values that remember what they were at each entry.
 *
 * Entry n is the nth operation that changed the disk; "at n" means just after it, "at 0" means at
 * boot. Reading a value at n is a binary search: one recorded run gives the disk at every n, with
 * nothing run again.
 */
export type ChangeKind =
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'syncDir';

export interface Change {
  kind: ChangeKind;
  path: string;
  /** What happened, for people: `120 bytes at 4096`. */
  detail: string;
  /** Which bytes of which inode a write touched; `to` is exclusive. */
  extent?: { inode: number; from: number; to: number };
  /** The wall clock then, in ms since 1970. */
  wallMs: number;
}

export class History {
  /** Entry n is at index n - 1. Empty where nothing is recorded. */
  readonly changes: Change[] = [];
  #count = 0;

  constructor(
    /** Without recording only the present can be looked at, and memory stays flat. */
    readonly recording: boolean,
  ) {}

  /** How many operations changed the disk since boot. */
  get count(): number {
    return this.#count;
  }

  append(change: Change): void {
    this.#count++;
    if (this.recording) this.changes.push(change);
  }
}

export class Versioned<T> {
  readonly #history: History;
  #at: number[];
  #values: T[];

  constructor(history: History, value: T) {
    this.#history = history;
    this.#at = [history.count];
    this.#values = [value];
  }

  get current(): T {
    return this.#values[this.#values.length - 1];
  }

  set(value: T): void {
    const last = this.#at.length - 1;
    if (!this.#history.recording || this.#at[last] === this.#history.count) {
      this.#at[last] = this.#history.count;
      this.#values[last] = value;
    } else {
      this.#at.push(this.#history.count);
      this.#values.push(value);
    }
  }

  /** The value just after entry `count`; `undefined` where it did not exist yet. */
  at(count: number): T | undefined {
    const index = this.#indexAt(count);
    return index < 0 ? undefined : this.#values[index];
  }

  /** The values from entry `count` back to boot, newest first, each with the entry that made it. */
  *back(count: number): Generator<[at: number, value: T]> {
    for (let index = this.#indexAt(count); index >= 0; index--) {
      yield [this.#at[index], this.#values[index]];
    }
  }

  #indexAt(count: number): number {
    let low = 0;
    let high = this.#at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at[middle] <= count) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
