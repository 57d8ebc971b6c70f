/**
 * Writes one manifest: the whole state first, put in place by `replaceFile`; then edits behind it, each synced.
 *
 * Invariants
 *  1. An edit counts when its sync has finished; edits are written one after the other.
 *  2. A manifest is appended to by the writer that made it only, never after it was opened again, so no
 *     nonce is used twice and a torn tail is never written over.
 *  3. After a failed write or sync this writer takes nothing more: the state goes on in a new manifest.
 */
import { crc32, type DataKeys, putPreamble, TAG_BYTES } from '@nendb/codec';
import { joinPath, replaceFile, type Vfs, type VfsFile, writeFully } from '@nendb/vfs';
import { LsmError } from '../errors.js';
import { encodeEdit, type VersionEdit } from './edit.js';
import * as format from './format.js';
import { ManifestCipher } from './manifest-cipher.js';

export interface ManifestOwner {
  vfs: Vfs;
  dir: string;
  /** 16 bytes. */
  databaseUuid: Uint8Array;
  keys: DataKeys | undefined;
}

const NOTHING = new Uint8Array(0);

export class ManifestWriter {
  readonly #vfs: Vfs;
  readonly #path: string;
  readonly #cipher: ManifestCipher | undefined;
  readonly #uuidCrc: number;
  #file: VfsFile | undefined;
  #end = 0;
  #chain = 0;
  #frames = 0;
  #failed = false;

  /** Puts a manifest that holds `state` in place of the old one. Rejects with the errno error. */
  static async create(owner: ManifestOwner, state: VersionEdit): Promise<ManifestWriter> {
    const uuid = owner.vfs.random.uuid();
    const writer = new ManifestWriter(owner, uuid);
    const header = writer.#header(owner.databaseUuid, uuid);
    const frame = writer.#frame(format.FrameKind.edit, encodeEdit(state));
    const bytes = new Uint8Array(header.length + frame.length);
    bytes.set(header);
    bytes.set(frame, header.length);
    await replaceFile(owner.vfs, writer.#path, bytes);
    return writer;
  }

  private constructor({ vfs, dir, keys }: ManifestOwner, uuid: Uint8Array) {
    this.#vfs = vfs;
    this.#path = joinPath(dir, format.MANIFEST_FILE);
    this.#uuidCrc = crc32(uuid);
    this.#cipher = keys && ManifestCipher.create(vfs, keys, uuid);
  }

  /** Its length so far. */
  get bytes(): number {
    return this.#end;
  }

  /** Appends an edit; it is durable when the promise resolves. What a rejected one left is unknown. */
  async append(edit: VersionEdit): Promise<void> {
    const payload = encodeEdit(edit);
    const file = await this.#begin();
    await this.#write(file, this.#frame(format.FrameKind.edit, payload));
    await file.sync({ dataOnly: true });
    this.#failed = false;
  }

  /** Ends the manifest and lets it go. Rejects where the end could not be written. */
  async close(): Promise<void> {
    try {
      if (!this.#failed) {
        const file = await this.#begin();
        await this.#write(file, this.#frame(format.FrameKind.closed, NOTHING));
      }
    } finally {
      await this.abandon();
    }
  }

  /** Lets the file go as it is. */
  async abandon(): Promise<void> {
    this.#failed = true;
    this.#cipher?.dispose();
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** From here to the end of a successful call the writer counts as failed. */
  async #begin(): Promise<VfsFile> {
    if (this.#failed) {
      throw new LsmError(
        'LSM_POISONED',
        `expected a manifest that can be appended to, but a write of ${this.#path} failed before: go on in a new one`,
      );
    }
    this.#failed = true;
    this.#file ??= await this.#vfs.open(this.#path, 'write');
    return this.#file;
  }

  async #write(file: VfsFile, frame: Uint8Array): Promise<void> {
    await writeFully(file, frame, this.#end - frame.length);
  }

  #header(databaseUuid: Uint8Array, uuid: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(format.HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    const cipher = this.#cipher;
    putPreamble(bytes, 0, {
      magic: format.MANIFEST_MAGIC,
      version: format.MANIFEST_VERSION,
      compat: 0,
      readOnlyCompat: 0,
      incompat: cipher ? format.ENCRYPTED_BIT : 0,
      databaseUuid,
    });
    bytes.set(uuid, format.UUID_AT);
    view.setUint32(format.KEY_ID_AT, cipher?.keyId ?? format.NO_KEY_ID, true);
    if (cipher) {
      bytes.set(cipher.salt, format.SALT_AT);
      bytes.set(cipher.sealHeader(bytes.subarray(0, format.TAG_AT)), format.TAG_AT);
    }
    const crc = crc32(bytes.subarray(0, format.HEADER_CRC_AT));
    view.setUint32(format.HEADER_CRC_AT, crc, true);
    this.#end = bytes.length;
    this.#chain = crc32(bytes);
    return bytes;
  }

  /** The bytes of the next frame, which from now on is behind the end. */
  #frame(kind: format.FrameKind, plain: Uint8Array): Uint8Array {
    const length = plain.length + (this.#cipher ? TAG_BYTES : 0);
    const bytes = new Uint8Array(format.FRAME_HEADER_BYTES + length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, length, true);
    view.setUint32(format.FRAME_NUMBER_AT, this.#frames, true);
    bytes[format.FRAME_KIND_AT] = kind;
    const payload = this.#cipher ? this.#cipher.sealEdit(this.#end, plain, bytes) : plain;
    bytes.set(payload, format.FRAME_HEADER_BYTES);
    view.setUint32(format.FRAME_CHAIN_AT, this.#chain, true);
    view.setUint32(format.FRAME_PAYLOAD_CRC_AT, crc32(payload), true);
    const crc = crc32(bytes.subarray(0, format.FRAME_CRC_AT), this.#uuidCrc);
    view.setUint32(format.FRAME_CRC_AT, crc, true);
    this.#frames++;
    this.#end += bytes.length;
    this.#chain = crc32(bytes, this.#chain);
    return bytes;
  }
}
