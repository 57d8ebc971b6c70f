/**
 * Decodes a payload (layout: `format.ts`). It comes from a client: every length is checked before it is
 * believed, and all of it is read before anything of it is used.
 */
import { crc32 } from 'node:zlib';
import { ValueType } from '@nendb/engine';
import {
  BODY_AT,
  CRC_BYTES,
  DUMP_MAGIC,
  DUMP_VERSION,
  TYPE_AT,
  VARINT_BYTES_MAX,
  VERSION_AT,
} from './format.js';

/** A field as offsets into the payload. */
export interface DumpedField {
  fieldFrom: number;
  fieldTo: number;
  valueFrom: number;
  valueTo: number;
  expireAtMs: number;
}

export type DumpedValue =
  | { type: typeof ValueType.string; from: number; to: number }
  | { type: typeof ValueType.hash; fields: readonly DumpedField[] };

/** `envelope`: not a payload of this or an older version, or damaged. `body`: one that means nothing. */
export type DumpRefusal = 'envelope' | 'body';

export function readDump(bytes: Buffer): DumpedValue | DumpRefusal {
  const end = bytes.length - CRC_BYTES;
  if (
    end < BODY_AT ||
    !bytes.subarray(0, DUMP_MAGIC.length).equals(DUMP_MAGIC) ||
    bytes[VERSION_AT] > DUMP_VERSION ||
    bytes[VERSION_AT] === 0 ||
    bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))
  ) {
    return 'envelope';
  }
  switch (bytes[TYPE_AT]) {
    case ValueType.string:
      return { type: ValueType.string, from: BODY_AT, to: end };
    case ValueType.hash:
      return readHash(bytes, end);
    default:
      return 'body';
  }
}

function readHash(bytes: Buffer, end: number): DumpedValue | 'body' {
  const reader = new BodyReader(bytes, end);
  const count = reader.varint();
  const fields: DumpedField[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count && !reader.failed; i++) {
    const fieldFrom = reader.run();
    const fieldTo = reader.at;
    const valueFrom = reader.run();
    const valueTo = reader.at;
    const expireAtMs = reader.varint();
    names.add(bytes.toString('latin1', fieldFrom, fieldTo));
    fields.push({ fieldFrom, fieldTo, valueFrom, valueTo, expireAtMs });
  }
  const whole = !reader.failed && reader.at === end;
  if (!whole || fields.length === 0 || names.size !== fields.length) return 'body';
  return { type: ValueType.hash, fields };
}

class BodyReader {
  at = BODY_AT;
  failed = false;

  constructor(
    readonly bytes: Buffer,
    readonly end: number,
  ) {}

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX && this.at < this.end; i++) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (Number.isSafeInteger(value)) return value;
        break;
      }
      scale *= 0x80;
    }
    this.failed = true;
    return 0;
  }

  /** Reads a length, steps over its bytes, and returns where they began. */
  run(): number {
    const length = this.varint();
    const from = this.at;
    if (length > this.end - from) this.failed = true;
    else this.at = from + length;
    return from;
  }
}
