/**
 * The tables of the store: which there are, and how they come and go (layout: `format.ts`).
 *
 * Invariants
 *  1. What names a table is written after it is made and changed before it is given up: a crash leaves
 *     at worst a table that nothing names, which `sweep` finds.
 *  2. While an image is read no directory loses an entry: the image asks them whose a field is.
 *
 * Concurrency: the thread that opened the region.
 */
import { DashSpace, DashTable, type RecordReader } from '@nendb/dash-hash';
import type { Region } from '@nendb/pmem';
import {
  CATALOG_CONDEMNED,
  CATALOG_CONDEMNED_BYTES,
  CATALOG_DATABASES,
  CATALOG_KEY_BYTES,
  CATALOG_NAMESPACE,
  CATALOG_NAMESPACE_BYTES,
  CATALOG_ROOT,
  DIRECTORY_KEY_AT,
  getU32,
  KIND_MASK,
  KIND_NESTED,
  META_U32,
  NESTED_BYTES,
  putU32,
} from './format.js';
import { HASHES, Namespace } from './namespace.js';

/** A directory of a namespace that is gone, whose hashes are being freed. */
interface Condemned {
  serial: number;
  table: DashTable;
  cursor: number;
}

export interface DirectoryInImage {
  table: DashTable;
  /** `undefined` where it was given up before. */
  namespace: number | undefined;
}

export class Tables {
  readonly region: Region;
  readonly space: DashSpace;
  readonly records: RecordReader;
  readonly namespaces = new Map<number, Namespace>();
  /** Whether an image is being read. */
  imaging = false;
  readonly #catalog: DashTable;
  /** Turned to one nested hash after the other. */
  readonly #nested: DashTable;
  #condemned: Condemned[] = [];
  /** Entries of directories that wait for the end of an image. */
  #deferred: { directory: DashTable; serial: number }[] = [];
  /** Tables of an opened region that may belong to nobody. */
  #sweep: IterableIterator<number> | undefined;
  readonly #key = Buffer.alloc(CATALOG_KEY_BYTES);
  readonly #ref = Buffer.alloc(NESTED_BYTES);
  #entry = Buffer.alloc(256);

  constructor(region: Region, chunkBytes?: number) {
    this.region = region;
    this.space = DashSpace.of(region, chunkBytes === undefined ? {} : { chunkBytes });
    this.records = this.space.records;
    const isNew = region.opening.how === 'created';
    this.#catalog = DashTable.open(region, { root: CATALOG_ROOT });
    this.#nested = DashTable.at(region, this.#catalog.address);
    for (const [key, value] of this.#catalog.entries()) this.#load(key, value);
    if (!isNew) this.#sweep = this.space.tables();
  }

  get catalog(): DashTable {
    return this.#catalog;
  }

  /** The namespace, made where it is missing. Throws `PMEM_EXHAUSTED`. */
  make(id: number): Namespace {
    const serial = this.#newSerial();
    const address = DashTable.create(this.region, { tag: serial });
    const namespace = new Namespace(id, DashTable.at(this.region, address), HASHES);
    this.#writeNamespace(namespace);
    this.namespaces.set(id, namespace);
    return namespace;
  }

  /** The map of databases, as it was kept last. */
  get databases(): { namespaces: number[]; nextNamespace: number } | undefined {
    const record = this.#catalog.find(this.#catalogKey(CATALOG_DATABASES, 0), 0, CATALOG_KEY_BYTES);
    if (record === 0) return undefined;
    const value = Buffer.alloc(this.records.valueBytes(record));
    this.records.copyValue(record, value, 0);
    const words = Array.from({ length: value.length / 4 }, (_, i) => getU32(value, i * 4));
    return { namespaces: words.slice(1), nextNamespace: words[0] };
  }

  keepDatabases(namespaces: readonly number[], nextNamespace: number): void {
    const value = Buffer.alloc(4 * (namespaces.length + 1));
    putU32(value, 0, nextNamespace);
    for (const [i, namespace] of namespaces.entries()) putU32(value, 4 * (i + 1), namespace);
    this.#setCatalog(CATALOG_DATABASES, 0, value, value.length);
  }

  /** Gives a namespace up, at once for whoever looks for it. */
  condemn(namespace: Namespace): void {
    const { id, directory, keys } = namespace;
    if (directory !== undefined) {
      const value = this.#ref;
      putU32(value, 0, directory.address);
      this.#setCatalog(CATALOG_CONDEMNED, directory.tag, value, CATALOG_CONDEMNED_BYTES);
      // A crash may have come in the middle of this very step.
      if (!this.#condemned.some(({ serial }) => serial === directory.tag)) {
        this.#condemned.push({ serial: directory.tag, table: directory, cursor: 0 });
      }
    }
    this.#catalog.remove(this.#catalogKey(CATALOG_NAMESPACE, id), 0, CATALOG_KEY_BYTES);
    this.namespaces.delete(id);
    keys.free(0);
  }

  /** Makes an empty nested hash of the key; `nested` is turned to it. Returns its serial. */
  createNested(namespace: Namespace, key: Uint8Array, from: number, to: number): number {
    namespace.directory ??= this.#makeDirectory(namespace);
    const serial = this.#newSerial();
    const address = DashTable.create(this.region, { tag: serial });
    const bytes = DIRECTORY_KEY_AT + to - from;
    if (this.#entry.length < bytes) this.#entry = Buffer.alloc(bytes * 2);
    putU32(this.#entry, 0, address);
    this.#entry.set(key.subarray(from, to), DIRECTORY_KEY_AT);
    putU32(this.#key, 0, serial);
    namespace.directory.put(this.#key, 0, 4, this.#entry, 0, bytes, 0, 0);
    this.#nested.rebind(address);
    return serial;
  }

  /** What a key's record says of its nested hash: address and serial. */
  readNested(record: number): { address: number; serial: number } {
    this.records.copyValue(record, this.#ref, 0);
    return { address: getU32(this.#ref, 0), serial: getU32(this.#ref, 4) };
  }

  /** The serial that a key's record gives its nested hash, without an object. */
  serialAt(record: number): number {
    this.records.copyValue(record, this.#ref, 0);
    return getU32(this.#ref, 4);
  }

  /** The nested hash that a key's record names; `undefined` where a crash has taken it. */
  nestedAt(record: number): DashTable | undefined {
    this.records.copyValue(record, this.#ref, 0);
    const found = this.#nested.tryRebind(getU32(this.#ref, 0), getU32(this.#ref, 4));
    return found ? this.#nested : undefined;
  }

  /** The nested hash made last. */
  get nested(): DashTable {
    return this.#nested;
  }

  /** Gives the nested hash of a key up. */
  dropNested(namespace: Namespace, record: number): void {
    const { address, serial } = this.readNested(record);
    if (this.#nested.tryRebind(address, serial)) this.#nested.free(0);
    namespace.fieldTimes.delete(serial);
    const { directory } = namespace;
    if (directory === undefined) return;
    if (this.imaging) this.#deferred.push({ directory, serial });
    else this.#removeEntry(directory, serial);
  }

  /** The tables that an image has to tell apart, as they are now. */
  imageTables(): {
    keys: ReadonlyMap<number, number>;
    directories: DirectoryInImage[];
    catalogTag: number;
  } {
    const keys = new Map<number, number>();
    const directories: DirectoryInImage[] = [];
    for (const { id, keys: table, directory } of this.namespaces.values()) {
      keys.set(table.tag, id);
      if (directory) directories.push({ table: directory, namespace: id });
    }
    for (const { table } of this.#condemned) directories.push({ table, namespace: undefined });
    return { keys, directories, catalogTag: this.#catalog.tag };
  }

  /** The record of a nested hash in a directory, 0 where it is in another one. */
  entryOf(directory: DashTable, serial: number): number {
    putU32(this.#key, 0, serial);
    return directory.find(this.#key, 0, 4);
  }

  /** A bounded part of what is to be freed: about `stepsMax` entries. Whether there is more. */
  reclaim(stepsMax: number): boolean {
    const more = this.space.free(stepsMax);
    if (this.imaging) return more;
    if (this.#deferred.length > 0) {
      for (const { directory, serial } of this.#deferred.splice(0, stepsMax)) {
        this.#removeEntry(directory, serial);
      }
      return true;
    }
    this.#freeCondemned(stepsMax);
    this.#sweepSome(stepsMax);
    return more || this.#condemned.length > 0 || this.#sweep !== undefined;
  }

  #load(key: Uint8Array, value: Uint8Array): void {
    const number = getU32(key, 1);
    if (key[0] === CATALOG_DATABASES) return;
    if (key[0] === CATALOG_CONDEMNED) {
      const table = DashTable.at(this.region, getU32(value, 0));
      this.#condemned.push({ serial: number, table, cursor: 0 });
      return;
    }
    const namespace = new Namespace(number, DashTable.at(this.region, getU32(value, 0)), 0);
    const directory = getU32(value, 8);
    if (directory !== 0) namespace.directory = DashTable.at(this.region, directory);
    this.namespaces.set(number, namespace);
  }

  #makeDirectory(namespace: Namespace): DashTable {
    const address = DashTable.create(this.region, { tag: this.#newSerial() });
    const directory = DashTable.at(this.region, address);
    this.#writeNamespace(namespace, directory);
    return directory;
  }

  #writeNamespace({ id, keys }: Namespace, directory?: DashTable): void {
    const value = Buffer.alloc(CATALOG_NAMESPACE_BYTES);
    putU32(value, 0, keys.address);
    putU32(value, 4, keys.tag);
    if (directory !== undefined) {
      putU32(value, 8, directory.address);
      putU32(value, 12, directory.tag);
    }
    this.#setCatalog(CATALOG_NAMESPACE, id, value, value.length);
  }

  #setCatalog(kind: number, number: number, value: Uint8Array, bytes: number): void {
    const key = this.#catalogKey(kind, number);
    this.#catalog.put(key, 0, CATALOG_KEY_BYTES, value, 0, bytes, 0, 0);
  }

  #catalogKey(kind: number, number: number): Buffer {
    this.#key[0] = kind;
    putU32(this.#key, 1, number);
    return this.#key;
  }

  #newSerial(): number {
    const { meta } = this.region;
    const serial = (meta.u32(META_U32.nextSerial) % 0xffff_ffff) + 1;
    meta.setU32(META_U32.nextSerial, serial);
    return serial;
  }

  #removeEntry(directory: DashTable, serial: number): void {
    putU32(this.#key, 0, serial);
    directory.remove(this.#key, 0, 4);
  }

  #freeCondemned(stepsMax: number): void {
    const [condemned] = this.#condemned;
    if (condemned === undefined) return;
    const { records } = this;
    const { table, serial } = condemned;
    const hashes: [address: number, serial: number][] = [];
    condemned.cursor = table.scan(condemned.cursor, stepsMax, (record) => {
      records.copyKey(record, this.#key, 0);
      const hash = getU32(this.#key, 0);
      records.copyValueRange(record, 0, 4, this.#key, 0);
      hashes.push([getU32(this.#key, 0), hash]);
    });
    for (const [address, hash] of hashes) {
      if (this.#nested.tryRebind(address, hash)) this.#nested.free(0);
    }
    if (condemned.cursor !== 0) return;
    this.#catalog.remove(this.#catalogKey(CATALOG_CONDEMNED, serial), 0, CATALOG_KEY_BYTES);
    this.#condemned.shift();
    table.free(0);
  }

  /** Gives up tables that a crash has left without a name. */
  #sweepSome(tablesMax: number): void {
    for (let seen = 0; this.#sweep !== undefined && seen < tablesMax; seen++) {
      const { done, value } = this.#sweep.next();
      if (done) this.#sweep = undefined;
      else if (!this.#isNamed(value)) this.#nested.rebind(value).free(0);
    }
  }

  #isNamed(address: number): boolean {
    if (address === this.#catalog.address) return true;
    for (const { keys, directory } of this.namespaces.values()) {
      if (address === keys.address || address === directory?.address) return true;
    }
    if (this.#condemned.some(({ table }) => table.address === address)) return true;
    const serial = this.#nested.rebind(address).tag;
    if (this.#condemned.some(({ table }) => this.entryOf(table, serial) !== 0)) return true;
    for (const { keys, directory } of this.namespaces.values()) {
      const entry = directory === undefined ? 0 : this.entryOf(directory, serial);
      if (directory === undefined || entry === 0) continue;
      const key = Buffer.alloc(this.records.valueBytes(entry) - DIRECTORY_KEY_AT);
      this.records.copyValueRange(entry, DIRECTORY_KEY_AT, DIRECTORY_KEY_AT + key.length, key, 0);
      const record = keys.find(key, 0, key.length);
      if (record !== 0 && this.#namesNested(record, address, serial)) return true;
      this.#removeEntry(directory, serial);
    }
    return false;
  }

  #namesNested(record: number, address: number, serial: number): boolean {
    if ((this.records.flags(record) & KIND_MASK) !== KIND_NESTED) return false;
    const named = this.readNested(record);
    return named.address === address && named.serial === serial;
  }
}
