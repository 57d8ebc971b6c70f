/**
 * The store on an LSM tree: keys and fields are entries of one tree for all databases (layout: `format.ts`), so that
 * a database may be larger than memory.
 *
 *     effects ─▶ stage ── committed(lsn) ─▶ one batch, sequence = lsn ─▶ memtable ─▶ tables
 *     reads   ─▶ stage ─▶ tree
 *
 * Invariants
 *  1. All changes of a commit reach the tree at once, at its LSN; what is flushed is a state between two commits.
 *  2. Each key and field with a time has an end entry of that time; other end entries are stale, and go.
 *  3. The counts of a hash's record and of its namespace are those of the entries there are.
 *
 * `prepare` brings the records of keys into memory, and waits while flushes fall behind. Fields that are not in
 * memory are read from the disk in the call. Walks (`scan` and its like) see what is committed.
 */
import type { Lsm } from '@nendb/lsm';
import { EffectType } from '../../effects/format.js';
import { EffectReader } from '../../effects/reader.js';
import { EffectWriter } from '../../effects/writer.js';
import { asEngineError, EngineError } from '../../errors.js';
import { IMAGE_CHUNK_BYTES_MAX, IMAGE_STEP_ROWS } from '../../limits.js';
import type { StoreLog, StorePersistence } from '../persistence.js';
import {
  type ExpiredFieldVisitor,
  type FieldVisitor,
  type KeyVisitor,
  type RecordView,
  type Store,
  type StoreImage,
  type StoreUsage,
  ValueType,
} from '../store.js';
import { admitToTree, type Held } from './admission.js';
import { Ends } from './ends.js';
import { FIELD_ENDS, FIELD_HASHES, KEY_ENDS, NAMESPACE_BYTES, SLOTS } from './format.js';
import { LsmImage } from './image.js';
import type { Metadata } from './metadata.js';
import { Positions } from './positions.js';
import type { Preparation } from './preparation.js';
import { Record } from './record.js';
import { Stage } from './stage.js';
import {
  bound,
  fieldKey,
  fieldsPrefix,
  nameInField,
  nameInRecord,
  recordKey,
  recordOfKeyEnd,
  recordsOfFieldEnd,
  timeOfEnd,
} from './tree-keys.js';
import type { TreeLog } from './tree-log.js';
import { TreeWriter } from './tree-writer.js';
import { type EntryVisitor, type Ground, sampleGround, scanGround } from './walk.js';

export interface LsmStoreParts {
  tree: Lsm;
  log: TreeLog;
  /** As it was at the tree's flushed LSN. */
  metadata: Metadata;
  preparation: Preparation;
  /** Where tokens of walks begin: random. */
  firstToken: number;
}

export class LsmStore extends TreeWriter implements Store, StorePersistence {
  readonly kind = 'lsm';
  readonly alwaysReady = false;
  readonly persistence = this;
  readonly #tree: Lsm;
  readonly #log: TreeLog;
  readonly #metadata: Metadata;
  readonly #preparation: Preparation;
  readonly #stage: Stage;
  readonly #keyEnds: Ends;
  readonly #fieldEnds: Ends;
  readonly #positions: Positions;
  readonly #view = new Record();
  readonly #fieldView = new Record();
  readonly #admitted = new EffectReader();
  #imageOpen = false;

  constructor({ tree, log, metadata, preparation, firstToken }: LsmStoreParts) {
    const stage = new Stage(tree);
    const keyEnds = new Ends(tree, KEY_ENDS);
    const fieldEnds = new Ends(tree, FIELD_ENDS);
    super({ stage, metadata, keyEnds, fieldEnds });
    this.#tree = tree;
    this.#log = log;
    this.#metadata = metadata;
    this.#preparation = preparation;
    this.#stage = stage;
    this.#keyEnds = keyEnds;
    this.#fieldEnds = fieldEnds;
    this.#positions = new Positions(firstToken);
  }

  prepare(namespace: number, keys: readonly Uint8Array[]): true | Promise<void> {
    return this.#preparation.prepare(keys.map((key) => recordKey(namespace, key, 0, key.length)));
  }

  find(namespace: number, key: Uint8Array, from: number, to: number): RecordView | undefined {
    const bytes = this.#stage.get(recordKey(namespace, key, from, to));
    return bytes && this.#view.decode(bytes);
  }

  findField(
    namespace: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    field: Uint8Array,
    fieldFrom: number,
    fieldTo: number,
  ): RecordView | undefined {
    const prefix = fieldsPrefix(recordKey(namespace, key, keyFrom, keyTo));
    const bytes = this.#stage.get(fieldKey(prefix, field, fieldFrom, fieldTo), prefix);
    return bytes && this.#fieldView.decode(bytes);
  }

  keyCount(namespace: number): number {
    return this.#metadata.look(namespace).keys;
  }

  expiringCount(namespace: number): number {
    return this.#metadata.look(namespace).expiring;
  }

  fieldExpiringCount(namespace: number): number {
    return this.#metadata.look(namespace).fieldExpiring;
  }

  countExpiredFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    nowMs: number,
  ): number {
    const at = recordKey(namespace, key, from, to);
    const bytes = this.#stage.get(at);
    if (bytes === undefined) return 0;
    const { fieldsExpireAtMs } = this.#view.decode(bytes);
    if (fieldsExpireAtMs === 0 || fieldsExpireAtMs >= nowMs) return 0;
    let expired = 0;
    inEngineTerms(() =>
      this.#stage.visitFields(fieldsPrefix(at), (_, value) => {
        const { expireAtMs } = this.#fieldView.decode(value);
        if (expireAtMs !== 0 && expireAtMs < nowMs) expired++;
      }),
    );
    return expired;
  }

  scan(namespace: number, cursor: number, count: number, visit: KeyVisitor): number {
    const show = this.#showKeys(visit);
    return inEngineTerms(() =>
      scanGround(this.#tree, keysOf(namespace), this.#positions, cursor, count, show),
    );
  }

  scanFields(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    cursor: number,
    count: number,
    visit: FieldVisitor,
  ): number {
    const ground = fieldsOf(recordKey(namespace, key, from, to));
    const show = this.#showFields(ground, visit);
    return inEngineTerms(() =>
      scanGround(this.#tree, ground, this.#positions, cursor, count, show),
    );
  }

  scanExpired(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: KeyVisitor,
  ): number {
    const most = Math.min(count, stepsMax);
    const due = inEngineTerms(() => this.#keyEnds.due(namespace, nowMs, most, () => true));
    const show = this.#showKeys(visit);
    for (const end of due) {
      const at = recordOfKeyEnd(end);
      const bytes = this.#stage.get(at);
      if (bytes !== undefined) show(at, bytes);
    }
    return due.length;
  }

  scanExpiredFields(
    namespace: number,
    nowMs: number,
    count: number,
    stepsMax: number,
    visit: ExpiredFieldVisitor,
  ): number {
    const most = Math.min(count, stepsMax);
    const due = inEngineTerms(() =>
      this.#fieldEnds.due(namespace, nowMs, most, (end) => this.#isEnd(end)),
    );
    for (const end of due) {
      const { record, prefix, field } = recordsOfFieldEnd(end);
      const bytes = this.#stage.get(record);
      if (bytes === undefined) continue;
      const key = Buffer.from(this.#view.decode(bytes).longName ?? nameInRecord(record));
      const value = this.#stage.get(field, prefix);
      if (value === undefined) continue;
      visit(key, this.#fieldView.decode(value).longName ?? nameInField(field, prefix.length));
    }
    return due.length;
  }

  sampleKey(namespace: number, random: number, visit: KeyVisitor): boolean {
    const total = this.keyCount(namespace);
    const show = this.#showKeys(visit);
    return inEngineTerms(() => sampleGround(this.#tree, keysOf(namespace), total, random, show));
  }

  sampleField(
    namespace: number,
    key: Uint8Array,
    from: number,
    to: number,
    random: number,
    visit: FieldVisitor,
  ): boolean {
    const at = recordKey(namespace, key, from, to);
    const bytes = this.#stage.get(at);
    if (bytes === undefined) return false;
    const { fields } = this.#view.decode(bytes);
    const ground = fieldsOf(at);
    const show = this.#showFields(ground, visit);
    return inEngineTerms(() => sampleGround(this.#tree, ground, fields, random, show));
  }

  /** Throws `EngineError` where the tree cannot take the commit: then nothing has happened. */
  admits(bytes: Uint8Array, from: number, to: number): true {
    const { healthy, poisoned, lastError } = this.#tree.health;
    if (poisoned || (!healthy && this.#tree.pressure)) {
      throw new EngineError(
        'ENGINE_READ_ONLY',
        `writes are refused since the tree cannot write what it holds (${lastError}): mend the disk${poisoned ? ' and open the database again' : ''}`,
      );
    }
    this.#admitted.reset(bytes, from, to);
    admitToTree(this.#admitted, (effect) => this.#held(effect));
    return true;
  }

  override retainNamespaces(namespaces: readonly number[], nextNamespace?: number): void {
    super.retainNamespaces(namespaces);
    if (nextNamespace !== undefined) {
      this.#metadata.setDatabases({ namespaces: [...namespaces], nextNamespace });
    }
  }

  /** Compaction frees what was dropped. */
  reclaim(): boolean {
    return false;
  }

  image(): StoreImage {
    if (this.#imageOpen) throw new Error('expected one image at a time, another is being read');
    this.#imageOpen = true;
    const image = new LsmImage(this.#tree, this.#metadata.namespaces);
    const writer = new EffectWriter(IMAGE_CHUNK_BYTES_MAX);
    return {
      next: (bytesMax) => {
        writer.reset();
        const more = inEngineTerms(() => image.emit(writer, bytesMax, IMAGE_STEP_ROWS));
        return more || writer.length > 0 ? writer.bytes.subarray(0, writer.length) : undefined;
      },
      release: () => {
        image.release();
        this.#imageOpen = false;
      },
    };
  }

  usage(): StoreUsage {
    let keys = 0;
    for (const namespace of this.#metadata.namespaces) keys += this.keyCount(namespace);
    const { tableBytes, valueBytes, memtables } = this.#tree.stats();
    return { keys, bytes: tableBytes + valueBytes + memtables.bytes, imageBytes: 0 };
  }

  async close(): Promise<void> {
    this.#log.abandon();
    this.#preparation.goOn();
    try {
      await this.#tree.close();
    } catch (error) {
      throw asEngineError(error);
    }
  }

  // What it is beyond its keys

  get flushedLsn(): number {
    return this.#tree.flushedSequence;
  }

  get epoch(): number {
    return this.#metadata.epoch;
  }

  get databases(): StorePersistence['databases'] {
    return this.#metadata.databases;
  }

  get fileBytes(): number {
    const { tableBytes, valueBytes } = this.#tree.stats();
    return tableBytes + valueBytes;
  }

  get problem(): string | undefined {
    const { healthy, lastError } = this.#tree.health;
    return healthy ? undefined : (lastError ?? 'the tree has failed');
  }

  committed(lsn: number): void {
    for (const end of this.#fieldEnds.takeStale()) if (!this.#isEnd(end)) this.#stage.delete(end);
    const batch = this.#stage.take();
    if (batch !== undefined) this.#tree.apply(lsn, batch);
    this.#metadata.commit();
  }

  attach(log: StoreLog): void {
    this.#log.attach(log);
  }

  async flush(): Promise<void> {
    await this.#tree.flush();
  }

  /** Whether a field ends when its end entry says so. */
  #isEnd(end: Buffer): boolean {
    const { prefix, field } = recordsOfFieldEnd(end);
    const bytes = this.#stage.get(field, prefix);
    return bytes !== undefined && this.#fieldView.decode(bytes).expireAtMs === timeOfEnd(end);
  }

  #held({ type, namespace, bytes, keyFrom, keyTo, fieldFrom, fieldTo }: EffectReader): Held {
    const ofField = type === EffectType.fieldExpire;
    const view = ofField
      ? this.findField(namespace, bytes, keyFrom, keyTo, bytes, fieldFrom, fieldTo)
      : this.find(namespace, bytes, keyFrom, keyTo);
    const isHash = view !== undefined && view.type !== ValueType.string;
    return { isHash, valueBytes: view === undefined || isHash ? 0 : view.length };
  }

  #showKeys(visit: KeyVisitor): EntryVisitor {
    return (at, value) => {
      const view = this.#view.decode(value);
      visit(view.longName ?? nameInRecord(at), view);
    };
  }

  #showFields({ prefix }: Ground, visit: FieldVisitor): EntryVisitor {
    return (at, value) => {
      const view = this.#fieldView.decode(value);
      visit(view.longName ?? nameInField(at, prefix.length), view);
    };
  }
}

/** What `read` returns; the tree's errors as the engine names them. */
function inEngineTerms<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asEngineError(error);
  }
}

function keysOf(namespace: number): Ground {
  return { prefix: bound(namespace, 0).subarray(0, NAMESPACE_BYTES), places: SLOTS };
}

function fieldsOf(record: Buffer): Ground {
  return { prefix: fieldsPrefix(record), places: FIELD_HASHES };
}
