/** The table and what people use instead, behind one interface. */
import { DashTable } from '@nendb/dash-hash';
import { Region } from '@nendb/pmem';
import { open as openLmdb } from 'lmdb';
import { KEY_BYTES, makeKey, VALUE_BYTES } from './keys.js';

/** One store: keys come as bytes in a buffer that is used again, values are copied in and out. */
export interface KeyValues {
  readonly name: string;
  put(number: number, family: number): void;
  /** Copies the value out; whether there was one. */
  get(number: number, family: number): boolean;
  has(number: number, family: number): boolean;
  close(): Promise<void>;
}

const GiB = 2 ** 30;
const value = Buffer.alloc(VALUE_BYTES, 7);
const target = Buffer.alloc(VALUE_BYTES);

export function dash(bytesMax = GiB): KeyValues & { readonly table: DashTable } {
  const table = DashTable.open(Region.heap(bytesMax));
  return {
    name: 'dash',
    table,
    put: (number, family) => {
      table.put(makeKey(number, family), 0, KEY_BYTES, value, 0, VALUE_BYTES, 0, 0);
    },
    get: (number, family) => table.getInto(makeKey(number, family), target, 0) >= 0,
    has: (number, family) => table.find(makeKey(number, family), 0, KEY_BYTES) !== 0,
    close: async () => {},
  };
}

/** Node's fastest way from bytes to a string; its types leave it out. */
function latin1(bytes: Buffer): string {
  return (bytes as Buffer & { latin1Slice(from: number, to: number): string }).latin1Slice(
    0,
    KEY_BYTES,
  );
}

/** Copies a value into the memory that Node's small buffers share: fast, and one keeps 8 KiB alive. */
export const pooled = (): Buffer => Buffer.from(value);

/** Copies a value into memory of its own. */
export function alone(): Buffer {
  const copy = Buffer.allocUnsafeSlow(VALUE_BYTES);
  value.copy(copy);
  return copy;
}

/** `Map<string, Buffer>`, its key made from the request's bytes. */
export function map(copyValue = pooled): KeyValues {
  const entries = new Map<string, Buffer>();
  const keyOf = (number: number, family: number) => latin1(makeKey(number, family));
  return {
    name: 'Map, key made from bytes',
    put: (number, family) => {
      entries.set(keyOf(number, family), copyValue());
    },
    get: (number, family) => {
      const found = entries.get(keyOf(number, family));
      found?.copy(target, 0);
      return found !== undefined;
    },
    has: (number, family) => entries.has(keyOf(number, family)),
    close: async () => {},
  };
}

/** The same with strings that are there already, which no server has. */
export function mapOfStrings(count: number): KeyValues {
  const entries = new Map<string, Buffer>();
  const keys = [1, 2].map((family) =>
    Array.from({ length: count }, (_, i) => makeKey(i, family).toString('latin1')),
  );
  return {
    name: 'Map, keys ready-made',
    put: (number, family) => {
      entries.set(keys[family - 1][number], pooled());
    },
    get: (number, family) => {
      const found = entries.get(keys[family - 1][number]);
      found?.copy(target, 0);
      return found !== undefined;
    },
    has: (number, family) => entries.has(keys[family - 1][number]),
    close: async () => {},
  };
}

/** lmdb without syncs; puts are in synchronous transactions of 1000, its fastest way. */
export function lmdb(path: string): KeyValues & { batch(work: () => void): void } {
  const db = openLmdb<Buffer, Buffer>({
    path,
    noSync: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: 4 * GiB,
  });
  return {
    name: 'lmdb, tmpfs, no sync',
    put: (number, family) => {
      db.putSync(makeKey(number, family), value);
    },
    get: (number, family) => {
      const found = db.getBinaryFast(makeKey(number, family));
      if (found !== undefined) target.set(found.subarray(0, VALUE_BYTES), 0);
      return found !== undefined;
    },
    has: (number, family) => db.doesExist(makeKey(number, family)),
    batch: (work) => {
      db.transactionSync(work);
    },
    close: () => db.close(),
  };
}
