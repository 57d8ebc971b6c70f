/** The stores that are compared: `@nendb/lsm`, `classic-level` (LevelDB) and `lmdb`. */
import { Lsm, type LsmOptions } from '@nendb/lsm';
import { ClassicLevel } from 'classic-level';
import { open as openLmdb } from 'lmdb';
import { KEY_BYTES, keyText, valueBytes, valueText, writeKey } from './keys.js';
import { BATCH, IN_FLIGHT, type OpenStore, type Slice, type Store } from './store.js';

const CACHE_BYTES = 64 * 1024 * 1024;
const MEMTABLE_BYTES = 16 * 1024 * 1024;

/** Runs `put` for each key of a slice; so many are under way at a time. */
async function concurrently(
  { order, from, to }: Slice,
  inFlight: number,
  put: (i: number) => Promise<unknown>,
): Promise<void> {
  for (let start = from; start < to; start += inFlight) {
    const end = Math.min(start + inFlight, to);
    const puts: Promise<unknown>[] = [];
    for (let at = start; at < end; at++) puts.push(put(order[at]));
    await Promise.all(puts);
  }
}

/** Keys and values are bytes; synced by the operating system unless a put says otherwise. */
export function lsm(options: Partial<LsmOptions> = {}): OpenStore {
  return async (dir) => {
    const all = { dir, cacheBytes: CACHE_BYTES, memtableBytes: MEMTABLE_BYTES, ...options };
    return new LsmStore(await Lsm.open(all), all);
  };
}

class LsmStore implements Store {
  readonly name = 'lsm';
  readonly #options: LsmOptions;
  #db: Lsm;
  readonly #key = new Uint8Array(KEY_BYTES);

  constructor(db: Lsm, options: LsmOptions) {
    this.#db = db;
    this.#options = options;
  }

  get dir(): string {
    return this.#options.dir;
  }

  putInFlight(slice: Slice): Promise<void> {
    return concurrently(slice, IN_FLIGHT, (i) => this.#put(i));
  }

  async putAwaited({ order, from, to }: Slice): Promise<void> {
    for (let at = from; at < to; at++) await this.#put(order[at]);
  }

  async putBatches({ order, from, to }: Slice): Promise<void> {
    for (let start = from; start < to; start += BATCH) {
      const batch = this.#db.batch();
      for (let at = start; at < start + BATCH; at++) {
        batch.put(writeKey(this.#key, order[at] * 2), valueBytes(order[at]));
      }
      await batch.write();
    }
  }

  putSynced(slice: Slice, writers: number): Promise<void> {
    return concurrently(slice, writers, (i) =>
      this.#db.put(writeKey(this.#key, i * 2), valueBytes(i), { sync: true }),
    );
  }

  putLong(i: number, value: Buffer): Promise<void> {
    return this.#db.put(writeKey(this.#key, i * 2), value);
  }

  get({ order, from, to }: Slice): number {
    let found = 0;
    for (let at = from; at < to; at++) {
      if (this.#db.get(writeKey(this.#key, order[at] * 2)) !== undefined) found++;
    }
    return found;
  }

  getMissing({ order, from, to }: Slice): number {
    let found = 0;
    for (let at = from; at < to; at++) {
      if (this.#db.get(writeKey(this.#key, order[at] * 2 + 1)) !== undefined) found++;
    }
    return found;
  }

  async walk(): Promise<number> {
    const cursor = this.#db.cursor({ fillCache: false });
    let count = 0;
    while (cursor.next()) {
      if (cursor.keyView.length > 0 && cursor.valueView.length > 0) count++;
    }
    cursor.close();
    return count;
  }

  async ranges({ order, from, to }: Slice): Promise<number> {
    let count = 0;
    for (let at = from; at < to; at++) {
      const gte = writeKey(this.#key, order[at] * 2);
      const cursor = this.#db.cursor({ gte, limit: BATCH });
      while (cursor.next()) {
        if (cursor.keyView.length > 0 && cursor.valueView.length > 0) count++;
      }
      cursor.close();
    }
    return count;
  }

  async reopenAtRest(): Promise<void> {
    await this.#db.flush();
    await this.#db.settle();
    await this.#db.close();
    this.#db = await Lsm.open(this.#options);
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #put(i: number): Promise<void> {
    return this.#db.put(writeKey(this.#key, i * 2), valueBytes(i));
  }
}

/** Keys and values are strings: faster there than buffers. Not synced unless a put says so. */
export const classicLevel: OpenStore = async (dir) => {
  const store = new LevelStore(dir);
  await store.open();
  return store;
};

class LevelStore implements Store {
  readonly name = 'classic-level';
  #db: ClassicLevel<string, string>;

  constructor(readonly dir: string) {
    this.#db = this.#make();
  }

  open(): Promise<void> {
    return this.#db.open();
  }

  putInFlight(slice: Slice): Promise<void> {
    return concurrently(slice, IN_FLIGHT, (i) => this.#db.put(keyText(i * 2), valueText(i)));
  }

  async putAwaited({ order, from, to }: Slice): Promise<void> {
    for (let at = from; at < to; at++) {
      await this.#db.put(keyText(order[at] * 2), valueText(order[at]));
    }
  }

  async putBatches({ order, from, to }: Slice): Promise<void> {
    for (let start = from; start < to; start += BATCH) {
      const changes: { type: 'put'; key: string; value: string }[] = [];
      for (let at = start; at < start + BATCH; at++) {
        changes.push({ type: 'put', key: keyText(order[at] * 2), value: valueText(order[at]) });
      }
      await this.#db.batch(changes);
    }
  }

  putSynced(slice: Slice, writers: number): Promise<void> {
    return concurrently(slice, writers, (i) =>
      this.#db.put(keyText(i * 2), valueText(i), { sync: true }),
    );
  }

  putLong(i: number, value: Buffer): Promise<void> {
    return this.#db.put(keyText(i * 2), value, { valueEncoding: 'buffer' });
  }

  get({ order, from, to }: Slice): number {
    let found = 0;
    for (let at = from; at < to; at++) {
      if (this.#db.getSync(keyText(order[at] * 2)) !== undefined) found++;
    }
    return found;
  }

  getMissing({ order, from, to }: Slice): number {
    let found = 0;
    for (let at = from; at < to; at++) {
      if (this.#db.getSync(keyText(order[at] * 2 + 1)) !== undefined) found++;
    }
    return found;
  }

  async walk(): Promise<number> {
    const iterator = this.#db.iterator();
    let count = 0;
    for (;;) {
      const entries = await iterator.nextv(1000);
      if (entries.length === 0) break;
      count += entries.length;
    }
    await iterator.close();
    return count;
  }

  async ranges({ order, from, to }: Slice): Promise<number> {
    let count = 0;
    for (let at = from; at < to; at++) {
      const entries = this.#db.iterator({ gte: keyText(order[at] * 2), limit: BATCH });
      count += (await entries.all()).length;
    }
    return count;
  }

  async reopenAtRest(): Promise<void> {
    await this.#db.compactRange(keyText(0), '~');
    await this.#db.close();
    this.#db = this.#make();
    await this.#db.open();
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #make(): ClassicLevel<string, string> {
    return new ClassicLevel<string, string>(this.dir, {
      cacheSize: CACHE_BYTES,
      writeBufferSize: MEMTABLE_BYTES,
    });
  }
}

/** Keys and values are strings. A put resolves when it is committed, synced or not as lmdb decides. */
export const lmdb: OpenStore = async (dir) => new LmdbStore(dir);

class LmdbStore implements Store {
  readonly name = 'lmdb';
  #db: ReturnType<typeof openLmdb<string, string>>;

  constructor(readonly dir: string) {
    this.#db = this.#make();
  }

  putInFlight(slice: Slice): Promise<void> {
    return concurrently(slice, IN_FLIGHT, (i) => this.#db.put(keyText(i * 2), valueText(i)));
  }

  async putAwaited({ order, from, to }: Slice): Promise<void> {
    for (let at = from; at < to; at++) {
      await this.#db.put(keyText(order[at] * 2), valueText(order[at]));
    }
  }

  async putBatches({ order, from, to }: Slice): Promise<void> {
    for (let start = from; start < to; start += BATCH) {
      await this.#db.batch(() => {
        for (let at = start; at < start + BATCH; at++) {
          this.#db.put(keyText(order[at] * 2), valueText(order[at]));
        }
      });
    }
  }

  async putSynced(slice: Slice, writers: number): Promise<void> {
    await concurrently(slice, writers, async (i) => {
      await this.#db.put(keyText(i * 2), valueText(i));
      await this.#db.flushed;
    });
  }

  async putLong(i: number, value: Buffer): Promise<void> {
    await this.#db.put(keyText(i * 2), value.toString('latin1'));
  }

  get({ order, from, to }: Slice): number {
    let found = 0;
    for (let at = from; at < to; at++) {
      if (this.#db.get(keyText(order[at] * 2)) !== undefined) found++;
    }
    return found;
  }

  getMissing({ order, from, to }: Slice): number {
    let found = 0;
    for (let at = from; at < to; at++) {
      if (this.#db.get(keyText(order[at] * 2 + 1)) !== undefined) found++;
    }
    return found;
  }

  async walk(): Promise<number> {
    let count = 0;
    for (const { key, value } of this.#db.getRange()) {
      if (key.length > 0 && value.length > 0) count++;
    }
    return count;
  }

  async ranges({ order, from, to }: Slice): Promise<number> {
    let count = 0;
    for (let at = from; at < to; at++) {
      const range = this.#db.getRange({ start: keyText(order[at] * 2), limit: BATCH });
      for (const { key, value } of range) if (key.length > 0 && value.length > 0) count++;
    }
    return count;
  }

  async reopenAtRest(): Promise<void> {
    await this.#db.flushed;
    await this.#db.close();
    this.#db = this.#make();
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  #make(): ReturnType<typeof openLmdb<string, string>> {
    return openLmdb<string, string>({ path: this.dir, encoding: 'string' });
  }
}
