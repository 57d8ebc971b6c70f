/**
 * The records of the small log that bugs are planted in.
 *
 *     0   length of the text (u32)
 *     4   sequence number (u32), from 1, contiguous
 *     8   CRC-32 of the text
 *     12  CRC-32 of the 12 bytes before, seeded with the number of the file
 *     16  text
 *
 * Invariants
 *  1. Nothing is believed, and nothing allocated, before its checksum held.
 *  2. A bad place with no whole record behind it is the torn end of an append that nobody was told of.
 *     With one behind it, it is damage, and the log refuses.
 */
import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 16;
const RECORD_BYTES_MAX = 1 << 20;

/** The log cannot be trusted: it refuses to open rather than to forget. `code` is `LOG_DAMAGED`. */
export class LogDamagedError extends Error {
  readonly code = 'LOG_DAMAGED';
}

export interface Header {
  length: number;
  sequence: number;
  checksum: number;
}

export function encodeRecord(text: string, sequence: number, file: number): Buffer {
  const payload = Buffer.from(text);
  const record = Buffer.alloc(HEADER_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(sequence, 4);
  record.writeUInt32LE(crc32(payload), 8);
  record.writeUInt32LE(crc32(record.subarray(0, 12), file), 12);
  payload.copy(record, HEADER_BYTES);
  return record;
}

/** Reads the records of one file. Planted bugs override steps of it. */
export class RecordDecoder {
  constructor(
    protected readonly bytes: Buffer,
    protected readonly file: number,
  ) {}

  /** Throws `LogDamagedError`. */
  decode(): string[] {
    const records: string[] = [];
    let at = 0;
    for (;;) {
      const sequence = records.length + 1;
      const header = this.header(at);
      const payload = header?.sequence === sequence ? this.payload(at, header) : undefined;
      if (header === undefined || payload === undefined) {
        if (this.vouchedFor(at, sequence)) {
          throw new LogDamagedError(`record ${sequence} at ${at} is damaged, later ones are not`);
        }
        return records;
      }
      records.push(payload.toString());
      at += HEADER_BYTES + header.length;
    }
  }

  protected header(at: number): Header | undefined {
    const header = this.rawHeader(at);
    if (header === undefined) return undefined;
    const checksum = this.bytes.readUInt32LE(at + 12);
    return crc32(this.bytes.subarray(at, at + 12), this.file) === checksum ? header : undefined;
  }

  /** What the bytes say, checked by nobody. */
  protected rawHeader(at: number): Header | undefined {
    if (at + HEADER_BYTES > this.bytes.length) return undefined;
    return {
      length: this.bytes.readUInt32LE(at),
      sequence: this.bytes.readUInt32LE(at + 4),
      checksum: this.bytes.readUInt32LE(at + 8),
    };
  }

  protected payload(at: number, header: Header): Buffer | undefined {
    const payload = this.copyOf(at, header);
    return payload !== undefined && crc32(payload) === header.checksum ? payload : undefined;
  }

  protected copyOf(at: number, { length }: Header): Buffer | undefined {
    if (length > RECORD_BYTES_MAX || at + HEADER_BYTES + length > this.bytes.length)
      return undefined;
    return Buffer.from(this.bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length));
  }

  /** Whether something after a bad place says that the place was good once. */
  protected vouchedFor(bad: number, sequence: number): boolean {
    for (let at = bad + 1; at + HEADER_BYTES <= this.bytes.length; at++) {
      const header = this.header(at);
      if (header === undefined || header.sequence < sequence) continue;
      if (this.payload(at, header) !== undefined) return true;
    }
    return false;
  }
}
