/**
 * A cursor over a memtable. Nodes never move or change, so it stays good while entries are added,
 * and what it shows stays as it was.
 *
 * `prev` is a search (the list is linked forwards only).
 */
import { type EntryCursor, EntryKind } from '../entry.js';
import {
  expiryOf,
  kindOf,
  NODE_KEY,
  NODE_KEY_BYTES,
  NODE_VALUE_BYTES,
  sequenceOf,
  valueAt,
} from './node.js';
import type { SkipList } from './skip-list.js';

export class MemtableCursor implements EntryCursor {
  valid = false;
  keyBytes: Uint8Array;
  keyFrom = 0;
  keyTo = 0;
  sequence = 0;
  kind: EntryKind = EntryKind.delete;
  expireAtMs = 0;
  valueBytes: Uint8Array;
  valueFrom = 0;
  valueTo = 0;
  readonly #list: SkipList;
  #node = 0;

  constructor(list: SkipList) {
    this.#list = list;
    this.keyBytes = list.arena.bytes;
    this.valueBytes = list.arena.bytes;
  }

  seekToFirst(): void {
    this.#stand(this.#list.first());
  }

  seekToLast(): void {
    this.#stand(this.#list.last());
  }

  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    this.#list.setProbe(key, from, to);
    this.#stand(this.#list.seek(sequence));
  }

  seekBefore(key: Uint8Array, from: number, to: number): void {
    this.#list.setProbe(key, from, to);
    this.#stand(this.#list.seekBefore(Number.MAX_SAFE_INTEGER));
  }

  next(): void {
    if (this.valid) this.#stand(this.#list.next(this.#node));
  }

  prev(): void {
    if (!this.valid) return;
    this.#list.setProbe(this.keyBytes, this.keyFrom, this.keyTo);
    this.#stand(this.#list.seekBefore(this.sequence));
  }

  close(): void {
    this.valid = false;
  }

  #stand(node: number): void {
    this.#node = node;
    this.valid = node !== 0;
    if (node === 0) return;
    const { words, bytes } = this.#list.arena;
    this.keyBytes = bytes;
    this.keyFrom = (node + NODE_KEY) << 2;
    this.keyTo = this.keyFrom + words[node + NODE_KEY_BYTES];
    this.sequence = sequenceOf(words, node);
    this.kind = kindOf(words, node);
    this.expireAtMs = expiryOf(words, node);
    this.valueBytes = bytes;
    this.valueFrom = valueAt(words, node);
    this.valueTo = this.valueFrom + words[node + NODE_VALUE_BYTES];
  }
}
