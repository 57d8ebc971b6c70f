/**
 * Where the database keeps its keys: the one interface that every store implements and that
 * `storeConformance` tests.
 *
 * Shape of the data: a namespace (u32) holds keys; a key holds a string or a collection of fields.
 * Databases 0 to 15 are names for namespaces (`effects/databases.ts`), which a store does not know.
 *
 * Invariants
 *  1. `prepare` is the only call that may wait. Once it says `true`, reads and writes of the
 *     prepared keys are synchronous and touch no disk.
 *  2. Writes come from applied effects only, in LSN order; they cannot fail and are idempotent:
 *     applying a run of effects again over its own result changes nothing.
 *  3. A store hides nothing: expired keys and fields are there, and are counted, until an effect
 *     removes them. Who reads decides by database time.
 *  4. A view returned by `find` or `findField` is one reused object, valid until the next call on
 *     the store. Whoever keeps it copies it.
 *  5. An image is the state at the moment `image()` was called, whatever is written afterwards.
 *
 * Keys, fields and values are given as (bytes, from, to): no slice is made to ask a question.
 */

import type { StorePersistence } from './persistence.js';

/** What a key holds. The numbers are on disk; later types take the next ones. */
export const ValueType = { string: 1, hash: 2 } as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** A borrowed look at a key or a field. */
export interface RecordView {
  readonly type: ValueType;
  /** When the key, or the field, ends: milliseconds since 1970; 0 means never. */
  readonly expireAtMs: number;
  /**
   * Of a collection: when the first of its fields ends, or a time before that, in ms since 1970; 0
   * where no field does. Always 0 for strings and fields.
   */
  readonly fieldsExpireAtMs: number;
  /** Bytes of a string or of a field's value; number of fields of a collection. */
  readonly length: number;
  /** Copies a string's bytes to `target` at `at`; returns the offset behind them. */
  copyTo(target: Uint8Array, at: number): number;
  /** A string's bytes, borrowed: valid until the next call on the store. */
  bytes(): Uint8Array;
}

/** Receives what a scan meets: all arguments are borrowed for the time of the call. */
export type KeyVisitor = (key: Uint8Array, view: RecordView) => void;
export type FieldVisitor = (field: Uint8Array, value: RecordView) => void;
export type ExpiredFieldVisitor = (key: Uint8Array, field: Uint8Array) => void;

/** A point-in-time image being read while writes go on. */
export interface StoreImage {
  /**
   * Encodes about `bytesMax` bytes of the image as effects (`effects/format.ts`), or returns
   * `undefined` at its end. Bounded work per call, so that a run may be empty. The bytes are
   * borrowed: valid until the next call.
   */
  next(bytesMax: number): Uint8Array | undefined;
  /** Gives up what the image retains. Called once, at the end or instead of it. */
  release(): void;
}

export interface StoreUsage {
  keys: number;
  /** Bytes of keys, values and their overhead, as well as the store knows; garbage counts. */
  bytes: number;
  /** Bytes retained only because an image is being read. */
  imageBytes: number;
  /** Of a store in a region. */
  region?: RegionUsage;
}

/** What a region of memory is used for, in bytes. */
export interface RegionUsage {
  backend: string;
  /** The most it can hold. */
  bytesMax: number;
  /** Handed out to tables and records. */
  allocatedBytes: number;
  /** Memory that was touched, and so is taken from the system. */
  footprintBytes: number;
  /** Records that some key names. */
  liveBytes: number;
  /** Records that none names any more, until they are compacted. */
  garbageBytes: number;
  /** 0 where all free memory is in one piece, towards 1 as it falls apart. */
  fragmentation: number;
}

/** Where a store that outlives the process writes down how far the log is in it (R17). */
export interface RecordMarks {
  /** The effects of record `lsn` come now; the log's file has it. */
  begin(lsn: number): void;
  /** They are all applied. */
  end(lsn: number): void;
}

export interface Store {
  readonly kind: string;
  /** Where the store keeps itself on disk, and needs no images. */
  readonly persistence?: StorePersistence;
  /** Told of each record, where there are any; see `RecordMarks`. */
  readonly marks?: RecordMarks | undefined;
  /** Whether `prepare` always says `true`: everything is in memory, and callers need not ask. */
  readonly alwaysReady: boolean;

  /**
   * Whether the keys' data is ready: `true` holds until control goes back to the event loop. A
   * promise means that it is being loaded: ask again when it resolves.
   */
  prepare(namespace: number, keys: readonly Uint8Array[]): true | Promise<void>;

  // Reads
  find(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined;
  /** The field of a collection, or `undefined` where key or field is missing. */
  findField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): RecordView | undefined;
  keyCount(namespace: number): number;
  /** Keys with an expiry time. */
  expiringCount(namespace: number): number;
  /** Keys with fields that have an expiry time. */
  fieldExpiringCount(namespace: number): number;
  /** Fields of a collection whose time is before `nowMs`; costs no more than a walk over its fields. */
  countExpiredFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    nowMs: number,
  ): number;
  /**
   * Visits about `count` keys from `cursor` (0 starts) and returns the next cursor, 0 at the end.
   * A key that is there from the first call to the last is visited at least once.
   */
  scan(namespace: number, cursor: number, count: number, visit: KeyVisitor): number;
  scanFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    cursor: number,
    count: number,
    visit: FieldVisitor,
  ): number;
  /**
   * Visits at most `count` keys whose time is before `nowMs`, looking at no more than `stepsMax`
   * candidates; returns how many it looked at. Whoever removes what it visits, and asks again, has
   * them all in the end, however many others come meanwhile.
   */
  scanExpired(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: KeyVisitor,
  ): number;
  /** The same for fields; of a hash with many, not all in one call. */
  scanExpiredFields(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: ExpiredFieldVisitor,
  ): number;
  /**
   * Visits the key that `random`, from 0 to below 1, falls on, and returns whether there was one.
   * Evenly spread numbers meet all keys, none of them much more often than its share.
   */
  sampleKey(namespace: number, random: number, visit: KeyVisitor): boolean;
  /** The same for the fields of a collection. */
  sampleField(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    random: number,
    visit: FieldVisitor,
  ): boolean;

  /**
   * Whether there is memory for the effects `bytes[from, to)`: once it says so, applying them, in the
   * same turn, cannot fail for lack of it (R7). Throws `EngineError` where it refuses for another reason.
   */
  admits(bytes: Uint8Array, from: number, to: number): boolean;

  // Writes: applied effects only
  putString(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    expireAtMs: number,
  ): void;
  /**
   * Makes a string `newLength` long (zeros fill a gap) and writes bytes into it at `at`. A missing
   * key, or one that holds something else, is an empty string first.
   */
  patchString(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    at: number,
    bytes: Uint8Array,
    bytesFrom: number,
    bytesTo: number,
    newLength: number,
  ): void;
  remove(namespace: number, key: Uint8Array, from: number, to: number): void;
  /** Sets the time at which a key ends; 0 for never. Nothing happens where the key is missing. */
  setExpiry(namespace: number, key: Uint8Array, from: number, to: number, expireAtMs: number): void;
  /**
   * Sets a field, which then never ends; a missing key, or one of another type, is an empty
   * collection of `type` first.
   */
  putField(
    namespace: number,
    type: ValueType,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): void;
  /** Sets the time at which a field ends; 0 for never. Nothing happens where the field is missing. */
  setFieldExpiry(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
    expireAtMs: number,
  ): void;
  /** Removes a field, and the key with its last field. */
  removeField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): void;
  /**
   * Forgets all namespaces but these at once; memory is freed in bounded steps by `reclaim`. What is
   * given is the whole map of databases, which a store that outlives the process keeps.
   */
  retainNamespaces(namespaces: readonly number[], nextNamespace?: number): void;
  /** One bounded step of freeing what was forgotten. `true` while there is more. */
  reclaim(stepsMax: number): boolean;

  /** Starts an image of everything. One at a time. */
  image(): StoreImage;
  usage(): StoreUsage;
  close(): void | Promise<void>;
}
