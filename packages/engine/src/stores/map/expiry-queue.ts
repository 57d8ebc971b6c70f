/**
 * The keys (or fields) that have an expiry time, soonest first: a binary heap whose rows know their place, so
 * that a key whose time changes or that goes costs O(log n) and leaves nothing behind.
 *
 *            [0]
 *          /     \         a row ends no later than those below it, so the rows that are due
 *       [1]       [2]      are a tree at the top: they are found without a look at the others
 *      /   \     /   \
 *    [3]   [4] [5]   [6]
 *
 * Invariants
 *  1. `rows[i].queueIndex === i`; a row outside the queue has -1.
 *  2. `rows[i].expireAtMs >= rows[(i - 1) >> 1].expireAtMs`.
 *
 * Why not a walk over all of them: under a steady load new keys come faster than it proceeds, it
 * never begins again, and what it passed too early stays for ever.
 */

export interface Expiring {
  /** Milliseconds since 1970; 0 for never. Set by the queue. */
  expireAtMs: number;
  queueIndex: number;
}

export class ExpiryQueue<R extends Expiring> {
  readonly #rows: R[] = [];

  get size(): number {
    return this.#rows.length;
  }

  /** When the first row ends; 0 where there is none. */
  get soonestMs(): number {
    return this.#rows.length === 0 ? 0 : this.#rows[0].expireAtMs;
  }

  /** Sets the time at which `row` ends; 0 takes it out. */
  set(row: R, expireAtMs: number): void {
    if (expireAtMs === 0) {
      this.remove(row);
      row.expireAtMs = 0;
      return;
    }
    row.expireAtMs = expireAtMs;
    const at = row.queueIndex;
    if (at < 0) {
      this.#rows.push(row);
      this.#rise(row, this.#rows.length - 1);
    } else {
      this.#settle(row, at);
    }
  }

  /** Takes `row` out where it is in. */
  remove(row: R): void {
    const at = row.queueIndex;
    if (at < 0) return;
    row.queueIndex = -1;
    const last = this.#rows.pop();
    if (last !== undefined && last !== row) this.#settle(last, at);
  }

  /**
   * Visits up to `count` rows that end before `nowMs`, in no particular order, looking at no more
   * than `stepsMax`. Returns how many it looked at.
   */
  visitDue(nowMs: number, count: number, stepsMax: number, visit: (row: R) => void): number {
    const rows = this.#rows;
    const open = [0];
    let found = 0;
    let steps = 0;
    while (steps < stepsMax && found < count) {
      const at = open.pop();
      if (at === undefined) break;
      if (at >= rows.length) continue;
      steps++;
      if (rows[at].expireAtMs >= nowMs) continue;
      open.push(2 * at + 1, 2 * at + 2);
      found++;
      visit(rows[at]);
    }
    return steps;
  }

  /** Puts `row` where it belongs, at `at` or from there up or down. */
  #settle(row: R, at: number): void {
    const parent = (at - 1) >> 1;
    if (at > 0 && this.#rows[parent].expireAtMs > row.expireAtMs) this.#rise(row, at);
    else this.#sink(row, at);
  }

  #rise(row: R, from: number): void {
    const rows = this.#rows;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (rows[parent].expireAtMs <= row.expireAtMs) break;
      this.#place(rows[parent], at);
      at = parent;
    }
    this.#place(row, at);
  }

  #sink(row: R, from: number): void {
    const rows = this.#rows;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= rows.length) break;
      if (child + 1 < rows.length && rows[child + 1].expireAtMs < rows[child].expireAtMs) child++;
      if (rows[child].expireAtMs >= row.expireAtMs) break;
      this.#place(rows[child], at);
      at = child;
    }
    this.#place(row, at);
  }

  #place(row: R, at: number): void {
    this.#rows[at] = row;
    row.queueIndex = at;
  }
}
