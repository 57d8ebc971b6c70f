/**
 * A point-in-time image of the store as effects, read in bounded steps while writes go on (R16). The
 * region's image says which records there were; here they become effects.
 *
 *     region's image ─▶ (tag of the table, record) ─▶ keys:    put, fieldPut ..., expire
 *                                                  └─▶ nested: directory says whose ─▶ fieldPut
 *     behind the last record: expire of the keys with nested hashes
 *
 * Invariants
 *  1. Records met are good until `release`: none moves, no chunk is given back.
 *  2. A nested hash of a namespace that lived when the image began is in that one's directory until
 *     the image's end (`Tables`). One in a condemned directory was given up before and is left out.
 *  3. The time of a key comes behind its first field: `expire` on a missing key does nothing.
 */
import type { DashImage, RecordReader } from '@nendb/dash-hash';
import { EffectWriter } from '../../effects/writer.js';
import { IMAGE_CHUNK_BYTES_MAX, IMAGE_STEP_ROWS, IMAGE_WALK_ENTRIES } from '../../limits.js';
import type { StoreImage } from '../store.js';
import { ValueType } from '../store.js';
import { DIRECTORY_KEY_AT, FLAG_TIMES, KIND_MASK, KIND_PACKED, KIND_STRING } from './format.js';
import { PackedFields } from './packed-fields.js';
import { RecordBytes } from './record-bytes.js';
import type { DirectoryInImage, Tables } from './tables.js';
import { WordQueue } from './word-queue.js';

/** Whose fields the entries of a nested table are. */
interface Owner {
  namespace: number;
  /** The directory's record, with the name of the key; 0 where the fields are left out. */
  record: number;
}

const NOBODY: Owner = { namespace: 0, record: 0 };
/** What V8 takes for an entry of `#owners`. */
const OWNER_BYTES = 100;

export class DashStoreImage implements StoreImage {
  readonly #tables: Tables;
  readonly #records: RecordReader;
  readonly #onRelease: () => void;
  readonly #image: DashImage;
  /** Namespaces by the tags of their tables of keys. */
  readonly #keys: ReadonlyMap<number, number>;
  readonly #directories: readonly DirectoryInImage[];
  /** Tags of tables that hold no data. */
  readonly #internal: ReadonlySet<number>;
  readonly #owners = new Map<number, Owner>();
  /** Pairs of tag and record. */
  readonly #met = new WordQueue();
  /** Pairs of namespace and record: keys whose time is to be told at the end. */
  readonly #ending = new WordQueue();
  readonly #writer = new EffectWriter(IMAGE_CHUNK_BYTES_MAX);
  readonly #body: RecordBytes;
  readonly #owner: RecordBytes;
  readonly #packed = new PackedFields();
  #walking = true;
  #released = false;

  constructor(tables: Tables, onRelease: () => void) {
    this.#tables = tables;
    this.#records = tables.records;
    this.#onRelease = onRelease;
    this.#body = new RecordBytes(tables.records);
    this.#owner = new RecordBytes(tables.records);
    const { keys, directories, catalogTag } = tables.imageTables();
    this.#keys = keys;
    this.#directories = directories;
    this.#internal = new Set([catalogTag, ...directories.map(({ table }) => table.tag)]);
    this.#image = tables.space.image((_table, tag, record) => {
      if (!this.#internal.has(tag)) this.#met.push(tag, record);
    });
    tables.imaging = true;
  }

  /** Bytes that are kept for the image alone. */
  get bytes(): number {
    if (this.#released) return 0;
    return (
      this.#image.retainedBytes +
      this.#met.bytes +
      this.#ending.bytes +
      this.#owners.size * OWNER_BYTES
    );
  }

  next(bytesMax: number): Uint8Array | undefined {
    const writer = this.#writer;
    writer.reset();
    let more = true;
    for (let rows = 0; more && rows < IMAGE_STEP_ROWS && writer.length < bytesMax; rows++) {
      if (this.#met.length > 0) {
        this.#emit(this.#met.shift(), this.#met.shift());
      } else if (this.#walking) {
        this.#walking = this.#image.next(IMAGE_WALK_ENTRIES);
        rows += IMAGE_WALK_ENTRIES;
      } else if (this.#ending.length > 0) {
        this.#emitExpiry(this.#ending.shift(), this.#ending.shift());
      } else {
        more = false;
      }
    }
    return more || writer.length > 0 ? writer.bytes.subarray(0, writer.length) : undefined;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#image.release();
    this.#tables.imaging = false;
    this.#onRelease();
  }

  #emit(tag: number, record: number): void {
    const namespace = this.#keys.get(tag);
    if (namespace === undefined) this.#emitNestedField(tag, record);
    else this.#emitKey(namespace, record);
  }

  #emitKey(namespace: number, record: number): void {
    const flags = this.#records.flags(record);
    const kind = flags & KIND_MASK;
    const expireAtMs = this.#records.expireAtMs(record);
    if (kind === KIND_STRING) {
      const body = this.#body;
      body.open(record);
      const { bytes, keyFrom, keyTo, valueFrom, valueTo } = body;
      const { string } = ValueType;
      this.#writer.put(
        namespace,
        string,
        true,
        bytes,
        keyFrom,
        keyTo,
        expireAtMs,
        bytes,
        valueFrom,
        valueTo,
      );
    } else if (kind === KIND_PACKED) {
      this.#emitPacked(namespace, record, (flags & FLAG_TIMES) !== 0);
      if (expireAtMs !== 0) this.#emitExpiry(namespace, record);
    } else if (expireAtMs !== 0) {
      this.#ending.push(namespace, record);
    }
  }

  #emitPacked(namespace: number, record: number, hasTimes: boolean): void {
    const body = this.#body;
    body.open(record);
    const packed = this.#packed.open(body.bytes, body.valueFrom, body.valueTo, hasTimes);
    while (packed.next()) {
      this.#emitField(
        namespace,
        body.bytes,
        body.keyFrom,
        body.keyTo,
        body.bytes,
        packed.nameFrom,
        packed.nameTo,
        packed.valueFrom,
        packed.to,
        packed.expireAtMs,
      );
    }
  }

  #emitNestedField(tag: number, record: number): void {
    const { namespace, record: entry } = this.#ownerOf(tag);
    if (entry === 0) return;
    const owner = this.#owner;
    owner.open(entry);
    const body = this.#body;
    body.open(record);
    this.#emitField(
      namespace,
      owner.bytes,
      owner.valueFrom + DIRECTORY_KEY_AT,
      owner.valueTo,
      body.bytes,
      body.keyFrom,
      body.keyTo,
      body.valueFrom,
      body.valueTo,
      this.#records.expireAtMs(record),
    );
  }

  #emitField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void {
    const writer = this.#writer;
    const { hash } = ValueType;
    writer.fieldPut(
      namespace,
      hash,
      false,
      false,
      key,
      keyFrom,
      keyTo,
      field,
      fieldFrom,
      fieldTo,
      field,
      valueFrom,
      valueTo,
    );
    if (expireAtMs === 0) return;
    writer.fieldExpire(namespace, hash, key, keyFrom, keyTo, field, fieldFrom, fieldTo, expireAtMs);
  }

  #emitExpiry(namespace: number, record: number): void {
    const body = this.#body;
    body.open(record);
    const expireAtMs = this.#records.expireAtMs(record);
    const { bytes, keyFrom, keyTo } = body;
    this.#writer.expire(namespace, ValueType.hash, bytes, keyFrom, keyTo, expireAtMs);
  }

  #ownerOf(tag: number): Owner {
    let owner = this.#owners.get(tag);
    if (owner === undefined) {
      owner = this.#findOwner(tag);
      this.#owners.set(tag, owner);
    }
    return owner;
  }

  #findOwner(tag: number): Owner {
    for (const { table, namespace } of this.#directories) {
      const record = this.#tables.entryOf(table, tag);
      if (record !== 0) return namespace === undefined ? NOBODY : { namespace, record };
    }
    return NOBODY;
  }
}
