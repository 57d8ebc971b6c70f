/**
 * Where the key and the value of a record lie: bytes of the region itself where the record is in one
 * piece, which all short ones are, else a copy.
 *
 *     body.open(record);
 *     body.bytes, body.keyFrom, body.keyTo, body.valueFrom, body.valueTo
 *
 * One reused object; what it shows is good until the next write to the region.
 */
import type { RecordReader } from '@nendb/dash-hash';
import { UNIT_WINDOW_SHIFT } from '@nendb/pmem';

const NONE = new Uint8Array(0);

export class RecordBytes {
  bytes: Uint8Array = NONE;
  keyFrom = 0;
  keyTo = 0;
  valueFrom = 0;
  valueTo = 0;
  readonly #records: RecordReader;

  constructor(records: RecordReader) {
    this.#records = records;
  }

  open(record: number): void {
    const records = this.#records;
    const keyBytes = records.keyBytes(record);
    const valueBytes = records.valueBytes(record);
    if (records.pieces(record) === 0) {
      this.bytes = records.windows[record >>> UNIT_WINDOW_SHIFT].u8;
      this.keyFrom = records.bodyAt(record);
    } else {
      this.bytes = Buffer.allocUnsafeSlow(keyBytes + valueBytes);
      records.copyPayload(record, 0, keyBytes + valueBytes, this.bytes, 0);
      this.keyFrom = 0;
    }
    this.keyTo = this.keyFrom + keyBytes;
    this.valueFrom = this.keyTo;
    this.valueTo = this.valueFrom + valueBytes;
  }
}

/** A copy of the record's key. */
export function keyOf(records: RecordReader, record: number): Buffer {
  const key = Buffer.allocUnsafe(records.keyBytes(record));
  records.copyKey(record, key, 0);
  return key;
}
