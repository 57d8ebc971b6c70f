/**
 * The changes of the commit that is being applied, over the tree: what `get` sees is what the commit will leave.
 *
 *     records and ends      one group
 *     fields of a key       a group each, named by what their keys begin with: dropped as a whole
 *
 * Invariants
 *  1. Of several changes of a key the last one counts; dropping a group or a namespace covers what was staged in it
 *     before, and nothing that is staged after it.
 *  2. Nothing is in the tree before `take`, and everything at once then.
 */
import { Batch, type Lsm } from '@nendb/lsm';
import { asEngineError } from '../../errors.js';
import { latin1 } from '../../latin1.js';
import { behindPrefix, namespaceRange } from './tree-keys.js';

interface Staged {
  key: Buffer;
  /** `undefined` where it is deleted. */
  value: Buffer | undefined;
}

type Group = Map<string, Staged>;

/** The group of all that are no fields. */
const NO_PREFIX = Buffer.alloc(0);

export class Stage {
  readonly #tree: Lsm;
  readonly #groups = new Map<string, Group>();
  /** Ranges that were dropped: by group name, and namespaces. */
  readonly #droppedGroups = new Map<string, Buffer>();
  readonly #droppedNamespaces = new Set<number>();
  readonly #batch = new Batch();

  constructor(tree: Lsm) {
    this.#tree = tree;
  }

  get isEmpty(): boolean {
    const { size } = this.#groups;
    return size === 0 && this.#droppedGroups.size === 0 && this.#droppedNamespaces.size === 0;
  }

  /**
   * The value of a key of the tree, borrowed until the next call; `undefined` where there is none. `prefix` is that
   * of the key's fields where it is one of them.
   */
  get(key: Buffer, prefix: Buffer = NO_PREFIX): Uint8Array | undefined {
    if (!this.isEmpty) {
      const group = nameOfKey(prefix);
      const staged = this.#groups.get(group)?.get(nameOfKey(key));
      if (staged !== undefined) return staged.value;
      if (this.#isDropped(group, key)) return undefined;
    }
    try {
      return this.#tree.getView(key);
    } catch (error) {
      throw asEngineError(error);
    }
  }

  put(key: Buffer, value: Buffer | undefined, prefix: Buffer = NO_PREFIX): void {
    const name = nameOfKey(prefix);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Map();
      this.#groups.set(name, group);
    }
    group.set(nameOfKey(key), { key, value });
  }

  delete(key: Buffer, prefix: Buffer = NO_PREFIX): void {
    this.put(key, undefined, prefix);
  }

  /** Deletes all fields whose keys begin with `prefix`. */
  dropFields(prefix: Buffer): void {
    const group = nameOfKey(prefix);
    this.#groups.delete(group);
    this.#droppedGroups.set(group, prefix);
  }

  dropNamespace(namespace: number): void {
    for (const [name, group] of this.#groups) {
      for (const [each, { key }] of group) {
        if (key.readUInt32BE(0) === namespace) group.delete(each);
      }
      if (group.size === 0) this.#groups.delete(name);
    }
    this.#droppedNamespaces.add(namespace);
  }

  /** Visits the fields whose keys begin with `prefix`, in no order; arguments are the visitor's to keep. */
  visitFields(prefix: Buffer, visit: (key: Buffer, value: Buffer) => void): void {
    const name = nameOfKey(prefix);
    const group = this.#groups.get(name);
    const found: [key: Buffer, value: Buffer][] = [];
    if (!this.#isDropped(name, prefix)) {
      const cursor = this.#tree.cursor({ gte: prefix, lt: behindPrefix(prefix) });
      try {
        while (cursor.next()) {
          const key = asBuffer(cursor.key);
          if (group?.has(nameOfKey(key)) !== true) found.push([key, asBuffer(cursor.value)]);
        }
      } finally {
        cursor.close();
      }
    }
    for (const { key, value } of group?.values() ?? []) {
      if (value !== undefined) found.push([key, value]);
    }
    for (const [key, value] of found) visit(key, value);
  }

  /** All changes as one batch, valid until the next call; `undefined` where there are none. */
  take(): Batch | undefined {
    if (this.isEmpty) return undefined;
    const batch = this.#batch.clear();
    for (const namespace of this.#droppedNamespaces)
      batch.deleteRange(...namespaceRange(namespace));
    for (const prefix of this.#droppedGroups.values()) {
      batch.deleteRange(prefix, behindPrefix(prefix));
    }
    for (const group of this.#groups.values()) {
      for (const { key, value } of group.values()) {
        if (value === undefined) batch.delete(key);
        else batch.put(key, value);
      }
    }
    this.#groups.clear();
    this.#droppedGroups.clear();
    this.#droppedNamespaces.clear();
    return batch;
  }

  #isDropped(group: string, key: Buffer): boolean {
    if (this.#droppedGroups.has(group)) return true;
    return this.#droppedNamespaces.size > 0 && this.#droppedNamespaces.has(key.readUInt32BE(0));
  }
}

function nameOfKey(key: Buffer): string {
  return latin1(key, 0, key.length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
