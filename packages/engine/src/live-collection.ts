/**
 * A collection of which some fields are past their time, seen without them: `length` counts those
 * that live. One reused object, as other views are.
 */
import type { RecordView, ValueType } from './stores/store.js';
import { ValueType as Type } from './stores/store.js';

export class LiveCollection implements RecordView {
  type: ValueType = Type.hash;
  expireAtMs = 0;
  fieldsExpireAtMs = 0;
  length = 0;

  /** Takes over what `view`, which is lent for a moment only, says of the whole collection. */
  take(view: RecordView): void {
    this.type = view.type;
    this.expireAtMs = view.expireAtMs;
    this.fieldsExpireAtMs = view.fieldsExpireAtMs;
    this.length = view.length;
  }

  copyTo(): number {
    throw this.#noString();
  }

  bytes(): Uint8Array {
    throw this.#noString();
  }

  #noString(): TypeError {
    return new TypeError(`expected a string to read the bytes of, the key holds type ${this.type}`);
  }
}
