/**
 * A hash table that can be walked while it changes: a `Map` by name, and the same rows in the
 * order of their ids.
 *
 * Invariants
 *  1. Ids grow and are never used again within a table; `#order` is sorted by id.
 *  2. A removed row stays in `#order`, marked dead, until half of the rows there are dead.
 *  3. So a walk that remembers the last id it saw meets every row that lives through the whole
 *     walk exactly once, whatever is added or removed meanwhile: Redis's SCAN guarantee.
 */

/** One row of a table. */
export interface Row {
  /** The key or field, one character a byte. */
  readonly name: string;
  /** Its place in the walk, given by the table. */
  id: number;
  dead: boolean;
}

/** Chances of one in two or better: after so many, the next live row is taken. */
const SAMPLE_JUMPS_MAX = 32;

export class Table<R extends Row> {
  readonly #byName = new Map<string, R>();
  #order: R[] = [];
  #deadCount = 0;
  #lastId = 0;

  get size(): number {
    return this.#byName.size;
  }

  /** The newest id given: rows added later have a greater one. */
  get lastId(): number {
    return this.#lastId;
  }

  get(name: string): R | undefined {
    return this.#byName.get(name);
  }

  /** Adds a row whose name is not there yet. */
  add(row: R): void {
    row.id = ++this.#lastId;
    row.dead = false;
    this.#byName.set(row.name, row);
    this.#order.push(row);
  }

  remove(row: R): void {
    this.#byName.delete(row.name);
    row.dead = true;
    this.#deadCount++;
    if (this.#deadCount * 2 > this.#order.length) this.#compact();
  }

  /**
   * Visits up to `count` live rows with an id above `afterId`. Returns the id of the last row
   * visited, or 0 when there is none behind it.
   */
  walk(afterId: number, count: number, visit: (row: R) => void): number {
    const order = this.#order;
    let seen = 0;
    for (let i = this.#indexAfter(afterId); i < order.length; i++) {
      const row = order[i];
      if (row.dead) continue;
      if (seen === count) return order[i - 1].id;
      seen++;
      visit(row);
    }
    return 0;
  }

  /**
   * The live row that `random`, from 0 to below 1, falls on; `undefined` where there is none. At
   * most half of the places are dead: one that is met is left by a jump that depends on `random`
   * too, so that the row behind a gap is not chosen more often than others.
   */
  sample(random: number): R | undefined {
    const order = this.#order;
    if (this.size === 0) return undefined;
    let at = Math.floor(random * order.length);
    let state = Math.floor(random * 0x100000000) | 0;
    for (let jumps = 0; order[at].dead && jumps < SAMPLE_JUMPS_MAX; jumps++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      at = Math.floor(((state >>> 0) / 0x100000000) * order.length);
    }
    while (order[at].dead) at = (at + 1) % order.length;
    return order[at];
  }

  /** The first live row with an id above `afterId`. */
  nextAfter(afterId: number): R | undefined {
    const order = this.#order;
    for (let i = this.#indexAfter(afterId); i < order.length; i++) {
      if (!order[i].dead) return order[i];
    }
    return undefined;
  }

  /** Index of the first row with an id above `afterId`, by binary search. */
  #indexAfter(afterId: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order[middle].id <= afterId) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compact(): void {
    this.#order = this.#order.filter((row) => !row.dead);
    this.#deadCount = 0;
  }
}
