/**
 * What the store must know beside the entries of its tree, and what the tree's manifest keeps for it at each flush:
 * the map of databases, the epoch of the log, how many keys each namespace has.
 *
 *     version u8  epoch  next namespace  namespaces: count, each  counted: count, each (namespace, keys, with a
 *     time, with fields that have one)                                              all others uvarints
 *
 * Invariant: the counts that are kept with LSN n are those after commit n: changes of the commit that is being
 * applied are in `now`, and reach `committed` at its end.
 */
import { FormatError, putUvarint, UVARINT_BYTES_MAX, UvarintReader } from '@nendb/codec';
import { METADATA_VERSION } from './format.js';

/** How many keys a namespace has, in all, with a time, with fields that have one. */
export interface Counts {
  keys: number;
  expiring: number;
  fieldExpiring: number;
}

export interface DatabaseMap {
  namespaces: readonly number[];
  nextNamespace: number;
}

const NONE: Readonly<Counts> = { keys: 0, expiring: 0, fieldExpiring: 0 };

export class Metadata {
  epoch = 0;
  #databases: DatabaseMap | undefined;
  #databasesNow: DatabaseMap | undefined;
  readonly #committed = new Map<number, Counts>();
  readonly #now = new Map<number, Counts>();
  readonly #touched = new Set<number>();

  /** The map of databases of the last commit; `undefined` where none was ever given. */
  get databases(): DatabaseMap | undefined {
    return this.#databases;
  }

  /** Namespaces that hold something. */
  get namespaces(): number[] {
    return [...this.#now.keys()];
  }

  /** The counts of a namespace, to read. */
  look(namespace: number): Readonly<Counts> {
    return this.#now.get(namespace) ?? NONE;
  }

  /** The counts of a namespace, to change. */
  change(namespace: number): Counts {
    this.#touched.add(namespace);
    let counts = this.#now.get(namespace);
    if (counts === undefined) {
      counts = { ...NONE };
      this.#now.set(namespace, counts);
    }
    return counts;
  }

  drop(namespace: number): void {
    this.#touched.add(namespace);
    this.#now.delete(namespace);
  }

  setDatabases(databases: DatabaseMap): void {
    this.#databasesNow = databases;
  }

  /** What was changed is committed. */
  commit(): void {
    for (const namespace of this.#touched) {
      const counts = this.#now.get(namespace);
      if (counts !== undefined && counts.keys > 0) {
        this.#committed.set(namespace, { ...counts });
      } else {
        this.#committed.delete(namespace);
        this.#now.delete(namespace);
      }
    }
    this.#touched.clear();
    this.#databases = this.#databasesNow ?? this.#databases;
    this.#databasesNow = undefined;
  }

  /** Of the last commit. */
  encode(): Uint8Array {
    const { namespaces = [], nextNamespace = 0 } = this.#databases ?? {};
    const numbers = [this.epoch, nextNamespace, namespaces.length, ...namespaces];
    numbers.push(this.#committed.size);
    for (const [namespace, { keys, expiring, fieldExpiring }] of this.#committed) {
      numbers.push(namespace, keys, expiring, fieldExpiring);
    }
    const bytes = new Uint8Array(1 + numbers.length * UVARINT_BYTES_MAX);
    bytes[0] = METADATA_VERSION;
    let at = 1;
    for (const number of numbers) at = putUvarint(bytes, at, number);
    return bytes.slice(0, at);
  }

  /** Takes over what `encode` made; nothing where it is empty. Throws `FormatError`. */
  load(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (bytes[0] !== METADATA_VERSION) {
      throw new FormatError(
        'FORMAT_TOO_NEW',
        `expected metadata of version ${METADATA_VERSION} in the manifest, got ${bytes[0]}: use a newer release`,
      );
    }
    const reader = new UvarintReader();
    reader.reset(bytes, 1);
    this.epoch = reader.next();
    const nextNamespace = reader.next();
    const namespaces = Array.from({ length: reader.next() }, () => reader.next());
    if (namespaces.length > 0) this.#databases = { namespaces, nextNamespace };
    for (let left = reader.next(); left > 0; left--) {
      const namespace = reader.next();
      const [keys, expiring, fieldExpiring] = [reader.next(), reader.next(), reader.next()];
      this.#committed.set(namespace, { keys, expiring, fieldExpiring });
      this.#now.set(namespace, { keys, expiring, fieldExpiring });
    }
  }
}
