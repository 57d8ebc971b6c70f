/**
 * One limit on memory that several parts share: blocks, indexes and filters of open tables, memtables.
 *
 * Each part counts on an account of its own. What is counted for one is taken from those that can give
 * back: when the sum passes the limit they are asked, in the order in which they registered. What cannot
 * be given back (a memtable that is being written) is counted all the same, so the sum may stand above
 * the limit; then the caches are as small as they can be.
 *
 * Invariant: `usedBytes` is the sum of the accounts.
 */
export class MemoryBudget {
  readonly #accounts: BudgetAccount[] = [];
  readonly #reclaimers: ((bytes: number) => number)[] = [];
  #usedBytes = 0;
  #limitBytes: number;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Another limit; what is over it is reclaimed at once. */
  set limitBytes(bytes: number) {
    this.#limitBytes = bytes;
    this.#reclaim();
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** What may still be counted before anything is reclaimed; 0 at or above the limit. */
  get freeBytes(): number {
    return Math.max(0, this.#limitBytes - this.#usedBytes);
  }

  /** Bytes by account, for statistics. */
  get accounts(): readonly { readonly name: string; readonly bytes: number }[] {
    return this.#accounts;
  }

  /** A new account; names are for statistics. */
  account(name: string): BudgetAccount {
    const account = new BudgetAccount(name, (change) => {
      this.#usedBytes += change;
      if (change > 0) this.#reclaim();
    });
    this.#accounts.push(account);
    return account;
  }

  /** `reclaim` gives up to so many bytes back, counted on its own account, and returns how many. */
  onPressure(reclaim: (bytes: number) => number): void {
    this.#reclaimers.push(reclaim);
  }

  #reclaim(): void {
    for (const reclaim of this.#reclaimers) {
      const over = this.#usedBytes - this.#limitBytes;
      if (over <= 0) return;
      reclaim(over);
    }
  }
}

/** What one part of the program uses of a budget. */
export class BudgetAccount {
  #bytes = 0;
  readonly #changed: (change: number) => void;

  constructor(
    readonly name: string,
    changed: (change: number) => void,
  ) {
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts `change` more, or fewer where it is negative. Throws `RangeError` below zero. */
  add(change: number): void {
    if (this.#bytes + change < 0) {
      throw new RangeError(
        `expected at most ${this.#bytes} bytes to be given back to ${this.name}, got ${-change}`,
      );
    }
    this.#bytes += change;
    this.#changed(change);
  }

  /** Counts exactly `bytes`. */
  set(bytes: number): void {
    this.add(bytes - this.#bytes);
  }
}
