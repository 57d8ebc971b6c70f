/**
 * An `abstract-level` database on the tree: what is written for Level runs on it as it stands.
 *
 *     NenLevel ── encodings, sublevels, hooks, events, deferred open (abstract-level) ──▶ _get, _put, ... ──▶ Lsm
 *
 * Invariants
 *  1. A read sees the database of the moment in which it was called, or of its snapshot, however long it takes.
 *  2. Whatever the tree refuses is a `LevelError` with a `LEVEL_*` code, the tree's error as `cause`.
 *
 * What is in memory is read in the call; a read that needs the disk lets others run meanwhile.
 */

import { joinPath, nodeVfs, type Timers } from '@nendb/vfs';
import { type AbstractBatchOperation, AbstractLevel, type AbstractSnapshot } from 'abstract-level';
import { Lsm } from '../db/lsm.js';
import { MANIFEST_FILE } from '../manifest/format.js';
import type { LsmSnapshot, PutOptions, ReadOptions, WriteOptions } from '../types.js';
import { LevelChainedBatch } from './chained-batch.js';
import { clearRange } from './clear.js';
import { type LevelData, type LevelFormat, ofBytes, toBytes } from './format.js';
import { LevelIterator, LevelKeyIterator, LevelValueIterator } from './iterators.js';
import { LevelError, levelError, rethrow } from './level-error.js';
import type {
  NenLevelBatchOptions,
  NenLevelDelOptions,
  NenLevelOpenOptions,
  NenLevelOptions,
  NenLevelPutOptions,
} from './options.js';
import type { LevelRange, LevelWalk } from './range.js';
import { LevelSnapshot, type SnapshotOptions, viewOf } from './snapshot.js';
import { type WalkParts, walkEntries, walkKeys, walkValues } from './walk.js';

/** What `supports` says beyond Level's own. */
const MANIFEST = {
  encodings: { buffer: true, utf8: true, view: true },
  has: true,
  getSync: true,
  createIfMissing: true,
  errorIfExists: true,
  explicitSnapshots: true,
  additionalMethods: { compactRange: true },
  signals: { iterators: true },
};

interface LevelRead {
  valueEncoding: LevelFormat;
  snapshot?: AbstractSnapshot | null;
}

type LevelOperation =
  | { type: 'put'; key: LevelData; value: LevelData; expireAtMs?: number }
  | { type: 'del'; key: LevelData };

const NO_OPTIONS: ReadOptions = {};

/**
 * `location` is the tree's directory. Options are Level's and those of `Lsm.open`.
 *
 *     const db = new NenLevel('./people', { valueEncoding: 'json' });
 *     await db.put('ada', { born: 1815 });
 */
export class NenLevel<KDefault = string, VDefault = string> extends AbstractLevel<
  LevelData,
  KDefault,
  VDefault
> {
  readonly #location: string;
  #open: Lsm | undefined;
  #timers: Timers = nodeVfs.timers;
  /** The promise that the tree gave last, and what it rejects with in Level's terms: the same for all puts of a turn. */
  #done: Promise<void> | undefined;
  #named: Promise<void> | undefined;

  constructor(location: string, options?: NenLevelOptions<KDefault, VDefault>) {
    if (typeof location !== 'string' || location === '') {
      throw new TypeError(
        "expected the first argument 'location' to be a non-empty string: the path of a directory",
      );
    }
    super(MANIFEST, options);
    this.#location = location;
  }

  /** The directory. */
  get location(): string {
    return this.#location;
  }

  /**
   * The tree itself: transactions, checkpoints, statistics. Keys are those that Level has encoded and prefixed.
   * Throws `LEVEL_DATABASE_NOT_OPEN`.
   */
  get tree(): Lsm {
    if (this.#open !== undefined) return this.#open;
    throw new LevelError(
      'LEVEL_DATABASE_NOT_OPEN',
      `expected ${this.#location} to be open, it is ${this.status}: await db.open()`,
    );
  }

  // These widen the types of the options alone.

  override open(options?: NenLevelOpenOptions): Promise<void> {
    return options === undefined ? super.open() : super.open(options);
  }

  override put(key: KDefault, value: VDefault): Promise<void>;
  override put<K = KDefault, V = VDefault>(
    key: K,
    value: V,
    options: NenLevelPutOptions<K, V>,
  ): Promise<void>;
  override put<K, V>(key: K, value: V, options?: NenLevelPutOptions<K, V>): Promise<void> {
    return super.put(key, value, options as NenLevelPutOptions<K, V>);
  }

  override del(key: KDefault): Promise<void>;
  override del<K = KDefault>(key: K, options: NenLevelDelOptions<K>): Promise<void>;
  override del<K>(key: K, options?: NenLevelDelOptions<K>): Promise<void> {
    return super.del(key, options as NenLevelDelOptions<K>);
  }

  override batch(operations: AbstractBatchOperation<this, KDefault, VDefault>[]): Promise<void>;
  override batch<K = KDefault, V = VDefault>(
    operations: AbstractBatchOperation<this, K, V>[],
    options: NenLevelBatchOptions<K, V>,
  ): Promise<void>;
  override batch(): LevelChainedBatch<this, KDefault, VDefault>;
  override batch(...given: unknown[]): unknown {
    // How many arguments there are is what tells the two kinds of batch apart.
    return super.batch(...(given as [never[]]));
  }

  /** Merges all keys from `start` to `end` into the oldest run. */
  async compactRange(start: KDefault, end: KDefault): Promise<void> {
    if (this.status === 'opening') return this.deferAsync(() => this.compactRange(start, end));
    const { tree } = this;
    const encoding = this.keyEncoding();
    const [gte, lte] = [start, end].map((key) => toBytes(encoding.encode(key)));
    await tree.compact({ gte, lte }).catch(rethrow);
  }

  // What abstract-level calls

  async _open(options: NenLevelOpenOptions): Promise<void> {
    const { createIfMissing, errorIfExists, passive: _, ...treeOptions } = options;
    const dir = this.#location;
    const { vfs = nodeVfs } = options;
    this.#timers = vfs.timers;
    try {
      const found = await vfs.stat(joinPath(dir, MANIFEST_FILE));
      if (errorIfExists && found !== undefined) throw exists(dir);
      if (createIfMissing === false && found === undefined) throw missing(dir);
      this.#open = await Lsm.open({ ...treeOptions, dir, mustExist: createIfMissing === false });
    } catch (error) {
      throw levelError(error);
    }
  }

  async _close(): Promise<void> {
    const tree = this.#open;
    this.#open = undefined;
    await tree?.close().catch(rethrow);
  }

  async _get(key: LevelData, options: LevelRead): Promise<LevelData | undefined> {
    const values = await this._getMany([key], options);
    return values[0];
  }

  _getSync(key: LevelData, options: LevelRead): LevelData | undefined {
    try {
      return valueAt(
        this.tree,
        toBytes(key),
        options.valueEncoding,
        reading(viewOf(options.snapshot)),
      );
    } catch (error) {
      throw levelError(error);
    }
  }

  async _getMany(
    keys: readonly LevelData[],
    options: LevelRead,
  ): Promise<(LevelData | undefined)[]> {
    const { valueEncoding } = options;
    return this.#read(keys, options, (tree, key, at) => valueAt(tree, key, valueEncoding, at));
  }

  async _has(key: LevelData, options: LevelRead): Promise<boolean> {
    const found = await this._hasMany([key], options);
    return found[0];
  }

  async _hasMany(keys: readonly LevelData[], options: LevelRead): Promise<boolean[]> {
    return this.#read(keys, options, (tree, key, at) => tree.has(key, at));
  }

  _put(key: LevelData, value: LevelData, options: PutOptions): Promise<void> {
    const { expireAtMs, sync } = options;
    const given = expireAtMs === undefined && sync === undefined ? undefined : options;
    return this.#inLevelsTerms(this.tree.put(toBytes(key), toBytes(value), given));
  }

  _del(key: LevelData, options: WriteOptions): Promise<void> {
    return this.#inLevelsTerms(this.tree.delete(toBytes(key), options));
  }

  async _batch(operations: readonly LevelOperation[], options: WriteOptions): Promise<void> {
    try {
      const batch = this.tree.batch();
      for (const operation of operations) {
        const key = toBytes(operation.key);
        if (operation.type === 'del') batch.delete(key);
        else batch.put(key, toBytes(operation.value), operation);
      }
      await batch.write({ sync: options.sync === true });
    } catch (error) {
      throw levelError(error);
    }
  }

  _chainedBatch(): LevelChainedBatch<this, KDefault, VDefault> {
    return new LevelChainedBatch<this, KDefault, VDefault>(this, this.tree.batch());
  }

  async _clear(range: LevelRange): Promise<void> {
    await clearRange(this.tree, range).catch(rethrow);
  }

  _iterator(options: LevelWalk): LevelIterator<this> {
    return new LevelIterator(this, options, walkEntries(this.#parts(options)));
  }

  _keys(options: LevelWalk): LevelKeyIterator<this> {
    return new LevelKeyIterator(this, options, walkKeys(this.#parts(options)));
  }

  _values(options: LevelWalk): LevelValueIterator<this> {
    return new LevelValueIterator(this, options, walkValues(this.#parts(options)));
  }

  _snapshot(options: SnapshotOptions): LevelSnapshot {
    return new LevelSnapshot(this.tree.snapshot(), options);
  }

  #parts(options: LevelWalk): WalkParts {
    return { tree: this.tree, options, timers: this.#timers };
  }

  /** What `read` says of each key, all at one moment: that of the call, or of the snapshot. */
  async #read<T>(
    keys: readonly LevelData[],
    { snapshot }: LevelRead,
    read: (tree: Lsm, key: Uint8Array, at: ReadOptions) => T,
  ): Promise<T[]> {
    const { tree } = this;
    let moment: LsmSnapshot | undefined;
    try {
      const sought = keys.map(toBytes);
      let at = viewOf(snapshot);
      const ready = tree.prepare(sought);
      if (ready !== true) {
        moment = tree.snapshot();
        at ??= moment;
        await ready;
      }
      return sought.map((key) => read(tree, key, reading(at)));
    } catch (error) {
      throw levelError(error);
    } finally {
      moment?.close();
    }
  }

  #inLevelsTerms(done: Promise<void>): Promise<void> {
    if (this.#done === done && this.#named !== undefined) return this.#named;
    const named = done.catch(rethrow);
    this.#done = done;
    this.#named = named;
    return named;
  }
}

function reading(snapshot: LsmSnapshot | undefined): ReadOptions {
  return snapshot === undefined ? NO_OPTIONS : { snapshot };
}

function valueAt(
  tree: Lsm,
  key: Uint8Array,
  format: LevelFormat,
  at: ReadOptions,
): LevelData | undefined {
  // A string is made of borrowed bytes, anything else of a copy.
  const bytes = format === 'utf8' ? tree.getView(key, at) : tree.get(key, at);
  return bytes && ofBytes(bytes, format);
}

function exists(dir: string): LevelError {
  return new LevelError(
    'LEVEL_INVALID_ARGUMENT',
    `expected no database in ${dir}, for errorIfExists was given, but it exists: use another directory or leave errorIfExists out`,
  );
}

function missing(dir: string): LevelError {
  return new LevelError(
    'LEVEL_INVALID_ARGUMENT',
    `expected a database in ${dir}, for createIfMissing is false, but it does not exist: name its directory or leave createIfMissing out`,
  );
}
