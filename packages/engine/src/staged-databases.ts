/**
 * The map of databases as one transaction sees it: the committed one until the transaction stages
 * its own. A staged map is a whole one; the last of them is what the commit leaves.
 */
import { DATABASE_COUNT, type Databases } from './effects/databases.js';
import type { EffectWriter } from './effects/writer.js';

/** The map while no transaction is open. */
const CLOSED: readonly number[] = [];

export class StagedDatabases {
  readonly #databases: Databases;
  readonly #writer: EffectWriter;
  #namespaces = CLOSED;
  #isStaged = false;
  #nextNamespace = 0;

  constructor(databases: Databases, writer: EffectWriter) {
    this.#databases = databases;
    this.#writer = writer;
  }

  begin(): void {
    this.#namespaces = this.#databases.namespaces;
  }

  end(): void {
    this.#namespaces = CLOSED;
    this.#isStaged = false;
  }

  /** Throws `RangeError` where there is no such database, and where no transaction is open. */
  namespaceOf(database: number): number {
    const namespace = this.#namespaces[database];
    if (namespace !== undefined) return namespace;
    if (this.#namespaces === CLOSED) {
      throw new Error('expected an open transaction, it has ended: call begin() for the next one');
    }
    throw new RangeError(`expected a database from 0 to ${DATABASE_COUNT - 1}, got ${database}`);
  }

  flush(database: number): void {
    this.namespaceOf(database);
    this.#stage((namespaces) => {
      namespaces[database] = this.#nextNamespace++;
    });
  }

  flushAll(): void {
    this.namespaceOf(0);
    this.#stage((namespaces) => {
      for (let database = 0; database < namespaces.length; database++) {
        namespaces[database] = this.#nextNamespace++;
      }
    });
  }

  swap(a: number, b: number): void {
    const ofA = this.namespaceOf(a);
    const ofB = this.namespaceOf(b);
    this.#stage((namespaces) => {
      namespaces[a] = ofB;
      namespaces[b] = ofA;
    });
  }

  #stage(change: (namespaces: number[]) => void): void {
    if (!this.#isStaged) this.#nextNamespace = this.#databases.nextNamespace;
    const namespaces = [...this.#namespaces];
    change(namespaces);
    this.#writer.databases(namespaces, this.#nextNamespace);
    this.#namespaces = namespaces;
    this.#isStaged = true;
  }
}
