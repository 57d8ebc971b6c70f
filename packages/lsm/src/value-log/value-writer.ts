/**
 * Writes a value file: values go in, pointers come out, and the file is durable at the end.
 * Synchronous, for worker tasks.
 *
 * Invariants
 *  1. A record names its key and sequence, so that a pointer can be checked against what it points to.
 *     A value that moves keeps both.
 *  2. After `finish` the file's bytes are durable and never change. Its name is the caller's to make
 *     durable (`syncDir`) before anything names the file.
 *  3. After a throw, only `abort` is left to call.
 */
import {
  type Compression,
  compress,
  compressionId,
  crc32,
  type DataKeys,
  TAG_BYTES,
} from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import { crcAt, type FileHead, makeHead } from '../file-head.js';
import { Output, type OutputOptions } from '../output.js';
import { putU64, viewOf } from '../u64.js';
import * as format from './format.js';
import type { ValuePointer } from './pointer.js';

export interface ValueWriterOptions extends OutputOptions {
  /** 16 bytes. */
  databaseUuid: Uint8Array;
  /** The file's number: pointers name it. */
  number: number;
  /** Default `none`. */
  compression?: Compression;
  /** Keys to encrypt with. */
  keys?: DataKeys;
}

/** What was written: what a manifest says of a value file. */
export interface ValueFileSummary {
  number: number;
  fileBytes: number;
  /** Bytes of its records, whole: what pointers may refer to. */
  recordBytes: number;
  records: number;
  /** The data key that it is encrypted with; -1 in the clear. */
  keyId: number;
}

const NONE = compressionId('none');
const NOTHING = new Uint8Array(0);

export class ValueWriter {
  readonly #output: Output;
  readonly #head: FileHead;
  readonly #number: number;
  readonly #compression: Compression;
  readonly #header = new Uint8Array(format.RECORD_HEADER_BYTES);
  readonly #headerView = viewOf(this.#header);
  #records = 0;
  #recordBytes = 0;

  /** Makes the file, which must not exist. */
  constructor(vfs: Vfs, path: string, options: ValueWriterOptions) {
    const { databaseUuid, keys, compression = 'none' } = options;
    const compressed = compression !== 'none';
    const { head, bytes } = makeHead(vfs, format.VALUE_FILE, { databaseUuid, keys, compressed });
    this.#head = head;
    this.#number = options.number;
    this.#compression = compression;
    this.#output = new Output(vfs, path, options);
    this.#output.write(bytes);
  }

  get path(): string {
    return this.#output.path;
  }

  /** How long the file is, without its footer. */
  get fileBytes(): number {
    return this.#output.position;
  }

  /** Writes the value of (key, sequence) and fills `into` with its place. */
  append(
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    sequence: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    into: ValuePointer,
  ): void {
    const offset = this.#output.position;
    const plain = value.subarray(valueFrom, valueTo);
    const compressed = compress(plain, this.#compression);
    const keyPart = key.subarray(keyFrom, keyTo);
    const valuePart = compressed ?? plain;
    const header = this.#header;
    const view = this.#headerView;
    const tagBytes = this.#head.cipher ? TAG_BYTES : 0;
    const storedBytes = keyPart.length + valuePart.length + tagBytes;
    view.setUint32(format.RECORD_KEY_BYTES_AT, keyPart.length, true);
    view.setUint32(format.RECORD_STORED_BYTES_AT, storedBytes, true);
    view.setUint32(format.RECORD_VALUE_BYTES_AT, plain.length, true);
    putU64(view, format.RECORD_SEQUENCE_AT, sequence);
    header[format.RECORD_COMPRESSION_AT] = compressed ? compressionId(this.#compression) : NONE;
    const clear = header.subarray(format.RECORD_COVERED_AT);
    const parts =
      this.#head.cipher === undefined
        ? [keyPart, valuePart]
        : [
            this.#head.cipher.seal(
              offset,
              format.RECORD_TYPE,
              Buffer.concat([keyPart, valuePart]),
              clear,
            ),
          ];
    let crc = crcAt(this.#head.seed, offset, clear);
    for (const part of parts) crc = crc32(part, crc);
    view.setUint32(format.RECORD_CRC_AT, crc, true);
    this.#output.write(header);
    for (const part of parts) this.#output.write(part);
    into.file = this.#number;
    into.offset = offset;
    into.bytes = format.RECORD_HEADER_BYTES + storedBytes;
    this.#records++;
    this.#recordBytes += into.bytes;
  }

  /** Writes the footer, syncs and closes. */
  finish(): ValueFileSummary {
    const offset = this.#output.position;
    const fileBytes = offset + format.FOOTER_BYTES;
    this.#output.write(encodeFooter(this.#head, offset, this.#records));
    this.#output.finish();
    this.#head.cipher?.dispose();
    return {
      number: this.#number,
      fileBytes,
      recordBytes: this.#recordBytes,
      records: this.#records,
      keyId: this.#head.keyId,
    };
  }

  /** Gives up: closes and unlinks the file. */
  abort(): void {
    this.#head.cipher?.dispose();
    this.#output.abort();
  }
}

function encodeFooter(head: FileHead, offset: number, records: number): Uint8Array {
  const bytes = new Uint8Array(format.FOOTER_BYTES);
  const view = viewOf(bytes);
  bytes.set(Buffer.from(format.FOOTER_TEXT, 'latin1'));
  putU64(view, format.FOOTER_RECORDS_AT, records);
  putU64(view, format.FOOTER_FILE_BYTES_AT, offset + format.FOOTER_BYTES);
  const clear = bytes.subarray(0, format.FOOTER_TAG_AT);
  const tag = head.cipher?.seal(offset, format.FOOTER_TYPE, NOTHING, clear);
  if (tag !== undefined) bytes.set(tag, format.FOOTER_TAG_AT);
  const covered = bytes.subarray(0, format.FOOTER_CRC_AT);
  view.setUint32(format.FOOTER_CRC_AT, crcAt(head.seed, offset, covered), true);
  return bytes;
}
