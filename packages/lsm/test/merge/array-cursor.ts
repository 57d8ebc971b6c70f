/** A sorted source that is an array: the plainest thing that is an `EntryCursor`. */
import { type EntryCursor, EntryKind } from '../../src/entry.js';
import { compareBytes } from '../../src/order.js';
import { compareVersions, entryOf, type Version } from '../entries.js';

const NONE = new Uint8Array(0);

export class ArrayCursor implements EntryCursor {
  valid = false;
  keyBytes: Uint8Array = NONE;
  keyFrom = 0;
  keyTo = 0;
  sequence = 0;
  kind: EntryKind = EntryKind.put;
  expireAtMs = 0;
  valueBytes: Uint8Array = NONE;
  valueFrom = 0;
  valueTo = 0;
  closed = false;
  readonly #versions: readonly Version[];
  #at = 0;

  constructor(versions: readonly Version[]) {
    this.#versions = [...versions].sort(compareVersions);
  }

  seekToFirst(): void {
    this.#stand(0);
  }

  seekToLast(): void {
    this.#stand(this.#versions.length - 1);
  }

  seek(key: Uint8Array, from: number, to: number, sequence: number): void {
    const at = this.#versions.findIndex((each) => {
      const order = compareBytes(each.key, 0, each.key.length, key, from, to);
      return order > 0 || (order === 0 && each.sequence <= sequence);
    });
    this.#stand(at < 0 ? this.#versions.length : at);
  }

  seekBefore(key: Uint8Array, from: number, to: number): void {
    this.#stand(
      this.#versions.findLastIndex(
        (each) => compareBytes(each.key, 0, each.key.length, key, from, to) < 0,
      ),
    );
  }

  next(): void {
    if (this.valid) this.#stand(this.#at + 1);
  }

  prev(): void {
    if (this.valid) this.#stand(this.#at - 1);
  }

  close(): void {
    this.closed = true;
    this.valid = false;
  }

  #stand(at: number): void {
    // What was shown is borrowed: whoever kept it sees rubbish.
    this.keyBytes.fill(0xee);
    this.valueBytes.fill(0xee);
    this.#at = at;
    this.valid = at >= 0 && at < this.#versions.length;
    if (this.valid) Object.assign(this, entryOf(this.#versions[at]));
  }
}
