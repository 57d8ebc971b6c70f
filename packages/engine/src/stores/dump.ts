/**
 * The whole visible content of some namespaces of a store, in a form that can be compared: what
 * conformance and crash tests call "the state".
 */
import { latin1 } from '../latin1.js';
import { type Store, ValueType } from './store.js';

export interface DumpedKey {
  type: ValueType;
  expireAtMs: number;
  /** A string's bytes, one character a byte. */
  value?: string;
  /** A collection's fields, sorted by name. */
  fields?: [field: string, value: string, expireAtMs: number][];
}

/** Keys of a namespace by name, sorted. */
export type DumpedNamespace = [key: string, content: DumpedKey][];

const SCAN_COUNT = 64;

export function dumpNamespace(store: Store, namespace: number): DumpedNamespace {
  const names: Buffer[] = [];
  let cursor = 0;
  do {
    cursor = store.scan(namespace, cursor, SCAN_COUNT, (key) => names.push(Buffer.from(key)));
  } while (cursor !== 0);
  return names
    .map((key): [string, DumpedKey] => [latin1(key, 0, key.length), dumpKey(store, namespace, key)])
    .sort(byName);
}

function dumpKey(store: Store, namespace: number, key: Buffer): DumpedKey {
  const view = store.find(namespace, key, 0, key.length);
  if (!view) throw new Error('expected a scanned key to be found');
  const { type, expireAtMs } = view;
  if (type === ValueType.string) return { type, expireAtMs, value: textOf(view.bytes()) };
  const fields: [string, string, number][] = [];
  let cursor = 0;
  do {
    cursor = store.scanFields(namespace, key, 0, key.length, cursor, SCAN_COUNT, (field, value) => {
      fields.push([textOf(field), textOf(value.bytes()), value.expireAtMs]);
    });
  } while (cursor !== 0);
  return { type, expireAtMs, fields: fields.sort(byName) };
}

function textOf(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}

function byName([a]: [string, ...unknown[]], [b]: [string, ...unknown[]]): number {
  return a < b ? -1 : Number(a > b);
}
