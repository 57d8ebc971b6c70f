/**
 * An open value file: values by their pointers, and a check of every byte.
 *
 * Invariants
 *  1. A record is read in one call and checked whole before anything in it is believed.
 *  2. What `read` returns is a new array and the caller's own.
 *
 * One thread. `readAsync` lets others run while it reads.
 */
import { CryptoError, compressionId, type DataKeys, decompress, FormatError } from '@nendb/codec';
import { readFully, readFullySync, type VfsFile } from '@nendb/vfs';
import { corrupt } from '../errors.js';
import { checkHead, crcAt, type FileHead, HEAD_BYTES, readHead, wrongKey } from '../file-head.js';
import { VALUE_BYTES_MAX, VALUE_RECORD_BYTES_MAX } from '../limits.js';
import { sameBytes } from '../order.js';
import { getU64, viewOf } from '../u64.js';
import * as format from './format.js';
import type { ValuePointer } from './pointer.js';

const NONE = compressionId('none');

export interface ValueReaderOptions {
  /** 16 bytes: a file of another database is refused. */
  databaseUuid: Uint8Array;
  /** Needed for encrypted files. */
  keys?: DataKeys;
}

/** Whose value a pointer names: compared with what the record says. */
export interface ValueOwner {
  keyBytes: Uint8Array;
  keyFrom: number;
  keyTo: number;
  sequence: number;
}

export class ValueReader {
  readonly #file: VfsFile;
  readonly #head: FileHead;
  readonly fileBytes: number;

  private constructor(file: VfsFile, head: FileHead, fileBytes: number) {
    this.#file = file;
    this.#head = head;
    this.fileBytes = fileBytes;
  }

  /**
   * Opens the value file in `file`, which is the reader's from then on. Throws `LSM_CORRUPT`,
   * `LSM_FOREIGN`, `LSM_WRONG_KEY`, `LSM_TOO_NEW`; the file is then still the caller's.
   */
  static open(file: VfsFile, { databaseUuid, keys }: ValueReaderOptions): ValueReader {
    const head = readHead(file, format.VALUE_FILE, databaseUuid, keys);
    const reader = new ValueReader(file, head, file.sizeSync());
    reader.#footerRecords();
    return reader;
  }

  get path(): string {
    return this.#file.path;
  }

  /** The data key that the file is encrypted with; -1 in the clear. */
  get keyId(): number {
    return this.#head.keyId;
  }

  /**
   * The value that `pointer` names, which must be that of `owner`. Throws `LSM_CORRUPT`,
   * `LSM_WRONG_KEY`, or the errno error of a read.
   */
  read({ offset, bytes }: ValuePointer, owner: ValueOwner): Uint8Array {
    this.#checkPlace(offset, bytes);
    const record = new Uint8Array(bytes);
    const came = readFullySync(this.#file, record, offset);
    return this.#valueOf(offset, record, came, owner);
  }

  /** {@link read} without blocking the thread. */
  async readAsync({ offset, bytes }: ValuePointer, owner: ValueOwner): Promise<Uint8Array> {
    this.#checkPlace(offset, bytes);
    const record = new Uint8Array(bytes);
    // `owner` is borrowed: what it shows may change while the read waits.
    const { keyBytes, keyFrom, keyTo, sequence } = owner;
    const key = keyBytes.slice(keyFrom, keyTo);
    const came = await readFully(this.#file, record, offset);
    const kept = { keyBytes: key, keyFrom: 0, keyTo: key.length, sequence };
    return this.#valueOf(offset, record, came, kept);
  }

  /** Reads every byte and checks each record, the head and the footer. Throws like `read`. */
  verify(): void {
    const { path } = this.#file;
    checkHead(this.#file, this.#head);
    const records = this.#footerRecords();
    const end = this.fileBytes - format.FOOTER_BYTES;
    const header = new Uint8Array(format.RECORD_HEADER_BYTES);
    const view = viewOf(header);
    let seen = 0;
    let offset = HEAD_BYTES;
    for (; offset < end; seen++) {
      if (readFullySync(this.#file, header, offset) < header.length) break;
      const bytes = header.length + view.getUint32(format.RECORD_STORED_BYTES_AT, true);
      if (offset + bytes > end) {
        throw corrupt(path, offset, `a record of ${bytes} bytes reaches behind the last`);
      }
      this.#checkPlace(offset, bytes);
      const record = new Uint8Array(bytes);
      this.#open(offset, record, readFullySync(this.#file, record, offset));
      offset += bytes;
    }
    if (offset !== end || seen !== records) {
      throw corrupt(path, offset, `expected ${records} records, got ${seen}`);
    }
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    this.#head.cipher?.dispose();
    await this.#file.close();
  }

  /** {@link close} for worker tasks. */
  closeSync(): void {
    this.#head.cipher?.dispose();
    this.#file.closeSync();
  }

  #checkPlace(offset: number, bytes: number): void {
    if (
      offset >= HEAD_BYTES &&
      bytes >= format.RECORD_HEADER_BYTES &&
      bytes <= VALUE_RECORD_BYTES_MAX &&
      offset + bytes <= this.fileBytes - format.FOOTER_BYTES
    ) {
      return;
    }
    throw corrupt(
      this.#file.path,
      offset,
      `expected a record within ${this.fileBytes} bytes, got a pointer to ${bytes} at ${offset}`,
    );
  }

  #valueOf(offset: number, record: Uint8Array, came: number, owner: ValueOwner): Uint8Array {
    const plain = this.#open(offset, record, came);
    const view = viewOf(record);
    const keyBytes = view.getUint32(format.RECORD_KEY_BYTES_AT, true);
    if (
      getU64(view, format.RECORD_SEQUENCE_AT) !== owner.sequence ||
      !sameBytes(plain, 0, keyBytes, owner.keyBytes, owner.keyFrom, owner.keyTo)
    ) {
      throw corrupt(this.#file.path, offset, 'the record belongs to another key or version');
    }
    return this.#inflate(offset, plain.subarray(keyBytes), record, view);
  }

  /** Key and value as they were before sealing. */
  #open(offset: number, record: Uint8Array, came: number): Uint8Array {
    const { path } = this.#file;
    if (came < record.length) {
      throw corrupt(
        path,
        offset + came,
        `expected a record of ${record.length} bytes, got ${came}`,
      );
    }
    const view = viewOf(record);
    const covered = record.subarray(format.RECORD_COVERED_AT);
    if (view.getUint32(format.RECORD_CRC_AT, true) !== crcAt(this.#head.seed, offset, covered)) {
      throw corrupt(path, offset, 'a record does not match its checksum');
    }
    const stored = record.subarray(format.RECORD_HEADER_BYTES);
    if (view.getUint32(format.RECORD_STORED_BYTES_AT, true) !== stored.length) {
      throw corrupt(path, offset, `the record is not one of ${stored.length} stored bytes`);
    }
    const plain = this.#unseal(offset, record, stored);
    if (view.getUint32(format.RECORD_KEY_BYTES_AT, true) <= plain.length) return plain;
    throw corrupt(path, offset, 'the key is longer than its record');
  }

  #unseal(offset: number, record: Uint8Array, stored: Uint8Array): Uint8Array {
    const { cipher } = this.#head;
    if (cipher === undefined) return stored;
    const clear = record.subarray(format.RECORD_COVERED_AT, format.RECORD_HEADER_BYTES);
    try {
      return cipher.open(offset, format.RECORD_TYPE, stored, clear);
    } catch (error) {
      throw this.#sealedOtherwise(offset, error);
    }
  }

  #inflate(offset: number, value: Uint8Array, record: Uint8Array, view: DataView): Uint8Array {
    const { path } = this.#file;
    const valueBytes = view.getUint32(format.RECORD_VALUE_BYTES_AT, true);
    const compression = record[format.RECORD_COMPRESSION_AT];
    let plain = value;
    if (compression !== NONE) {
      if (valueBytes === 0 || valueBytes > VALUE_BYTES_MAX) {
        throw corrupt(path, offset, `a compressed value claims ${valueBytes} bytes`);
      }
      try {
        plain = decompress(value, compression, valueBytes);
      } catch (error) {
        if (error instanceof FormatError) throw corrupt(path, offset, error.message, error);
        throw error;
      }
    }
    if (plain.length === valueBytes) return plain;
    throw corrupt(path, offset, `expected a value of ${valueBytes} bytes, got ${plain.length}`);
  }

  /** Checks the footer; returns how many records it counts. */
  #footerRecords(): number {
    const { path } = this.#file;
    const offset = this.fileBytes - format.FOOTER_BYTES;
    const bytes = new Uint8Array(format.FOOTER_BYTES);
    if (offset < HEAD_BYTES || readFullySync(this.#file, bytes, offset) < bytes.length) {
      throw corrupt(path, this.fileBytes, 'the file ends before its footer');
    }
    const view = viewOf(bytes);
    const covered = bytes.subarray(0, format.FOOTER_CRC_AT);
    if (view.getUint32(format.FOOTER_CRC_AT, true) !== crcAt(this.#head.seed, offset, covered)) {
      throw corrupt(path, offset, 'the footer does not match its checksum');
    }
    if (
      Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== format.FOOTER_TEXT ||
      getU64(view, format.FOOTER_FILE_BYTES_AT) !== this.fileBytes
    ) {
      throw corrupt(path, offset, 'the footer is not that of a value file of this length');
    }
    const tag = bytes.subarray(format.FOOTER_TAG_AT, format.FOOTER_CRC_AT);
    try {
      const clear = bytes.subarray(0, format.FOOTER_TAG_AT);
      this.#head.cipher?.open(offset, format.FOOTER_TYPE, tag, clear);
    } catch (error) {
      throw this.#sealedOtherwise(offset, error);
    }
    return getU64(view, format.FOOTER_RECORDS_AT);
  }

  #sealedOtherwise(offset: number, error: unknown): unknown {
    const { path } = this.#file;
    if (error instanceof FormatError) return corrupt(path, offset, error.message, error);
    if (!(error instanceof CryptoError) || error.code !== 'CRYPTO_BAD_TAG') return error;
    return wrongKey(path, `a record is sealed otherwise: ${error.message}`, offset, error);
  }
}
