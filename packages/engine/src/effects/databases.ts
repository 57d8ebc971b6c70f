/**
 * Which namespace each database number names. SWAPDB exchanges two entries; FLUSHDB and FLUSHALL
 * put fresh namespaces in their place, so that emptying a database is one small effect whatever it
 * held (R1).
 *
 * Invariants
 *  1. No two databases name the same namespace.
 *  2. A namespace id is never used again: `nextNamespace` only grows.
 */

/** Databases 0 to 15, as Redis has them. */
export const DATABASE_COUNT = 16;

export class Databases {
  #namespaces: readonly number[];
  #nextNamespace: number;

  constructor() {
    this.#namespaces = Array.from({ length: DATABASE_COUNT }, (_, database) => database);
    this.#nextNamespace = DATABASE_COUNT;
  }

  get namespaces(): readonly number[] {
    return this.#namespaces;
  }

  get nextNamespace(): number {
    return this.#nextNamespace;
  }

  /** Throws `RangeError` where there is no such database. */
  namespaceOf(database: number): number {
    const namespace = this.#namespaces[database];
    if (namespace !== undefined) return namespace;
    throw new RangeError(`expected a database from 0 to ${DATABASE_COUNT - 1}, got ${database}`);
  }

  /** Takes over a whole map. */
  assign(namespaces: readonly number[], nextNamespace: number): void {
    this.#namespaces = [...namespaces];
    this.#nextNamespace = Math.max(this.#nextNamespace, nextNamespace);
  }
}
