/**
 * Reads a manifest.
 *
 * Invariants
 *  1. Torn is not corrupt (R13): a bad frame with no frame of this manifest behind it is an edit that
 *     was never acknowledged, and is left out. Anything else is `LSM_CORRUPT`.
 *  2. The first frame was put in place whole: it is never torn.
 *  3. Leaving out the last edit is safe even where it had been acknowledged: what it removed is removed
 *     from disk and log only after it was durable, so a tree that still finds everything that the older
 *     state names has lost nothing, and one that does not is refused.
 */
import { CryptoError, crc32, type DataKeys, FormatError, readPreamble } from '@nendb/codec';
import { joinPath, readFully, type Vfs } from '@nendb/vfs';
import { corrupt, LsmError } from '../errors.js';
import { MANIFEST_BYTES_MAX } from '../limits.js';
import { decodeEdit, type VersionEdit } from './edit.js';
import * as format from './format.js';
import { ManifestCipher } from './manifest-cipher.js';

export interface ManifestContents {
  databaseUuid: Uint8Array;
  /** The whole state, then what changed it. */
  edits: VersionEdit[];
  bytes: number;
}

/**
 * What the manifest in `dir` says; `undefined` where there is none. Throws `LSM_CORRUPT`,
 * `LSM_TOO_NEW`, `LSM_WRONG_KEY`.
 */
export async function readManifest(
  vfs: Vfs,
  dir: string,
  keys: DataKeys | undefined,
): Promise<ManifestContents | undefined> {
  const path = joinPath(dir, format.MANIFEST_FILE);
  if ((await vfs.stat(path)) === undefined) return undefined;
  const file = await vfs.open(path, 'read');
  try {
    const size = await file.size();
    if (size > MANIFEST_BYTES_MAX) {
      throw corrupt(path, 0, `expected at most ${MANIFEST_BYTES_MAX} bytes, got ${size}`);
    }
    const bytes = new Uint8Array(size);
    const read = await readFully(file, bytes, 0);
    return parseManifest(path, bytes.subarray(0, read), keys);
  } finally {
    await file.close();
  }
}

/** The same of `bytes`, which are those of the file at `path`. */
export function parseManifest(
  path: string,
  bytes: Uint8Array,
  keys: DataKeys | undefined,
): ManifestContents {
  const header = readHeader(path, bytes, keys);
  try {
    const frames = new Frames(path, bytes, header);
    const edits: VersionEdit[] = [];
    for (let edit = frames.next(); edit !== undefined; edit = frames.next()) edits.push(edit);
    return { databaseUuid: header.databaseUuid, edits, bytes: bytes.length };
  } finally {
    header.cipher?.dispose();
  }
}

interface Header {
  databaseUuid: Uint8Array;
  uuid: Uint8Array;
  cipher: ManifestCipher | undefined;
}

function readHeader(path: string, bytes: Uint8Array, keys: DataKeys | undefined): Header {
  if (bytes.length < format.HEADER_BYTES) {
    throw corrupt(path, bytes.length, `expected a header of ${format.HEADER_BYTES} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const { databaseUuid, incompat } = checked(path, 0, () =>
    readPreamble(bytes, {
      magic: format.MANIFEST_MAGIC,
      version: format.MANIFEST_VERSION,
      compat: 0,
      readOnlyCompat: 0,
      incompat: format.ENCRYPTED_BIT,
      forWriting: true,
    }),
  );
  const stored = view.getUint32(format.HEADER_CRC_AT, true);
  if (crc32(bytes.subarray(0, format.HEADER_CRC_AT)) !== stored) {
    throw corrupt(path, format.UUID_AT, 'the checksum of the header does not fit');
  }
  const uuid = bytes.slice(format.UUID_AT, format.KEY_ID_AT);
  const encrypted = (incompat & format.ENCRYPTED_BIT) !== 0;
  if (!encrypted && keys === undefined) return { databaseUuid, uuid, cipher: undefined };
  if (!encrypted || keys === undefined) {
    throw new LsmError(
      'LSM_WRONG_KEY',
      `expected ${path} ${encrypted ? 'in the clear, for no key was given, got one that is encrypted: give its key' : 'to be encrypted, for a key was given, got one in the clear: leave the key out'}`,
      { file: path },
    );
  }
  const keyId = view.getUint32(format.KEY_ID_AT, true);
  const salt = bytes.slice(format.SALT_AT, format.TAG_AT);
  const cipher = checked(path, format.KEY_ID_AT, () => {
    return new ManifestCipher({ id: keyId, key: keys.key(keyId) }, salt, uuid);
  });
  const tag = bytes.subarray(format.TAG_AT, format.HEADER_CRC_AT);
  checked(path, format.TAG_AT, () => cipher.openHeader(bytes.subarray(0, format.TAG_AT), tag));
  return { databaseUuid, uuid, cipher };
}

/** Walks the frames. */
class Frames {
  readonly #path: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #cipher: ManifestCipher | undefined;
  readonly #uuidCrc: number;
  #at = format.HEADER_BYTES;
  #number = 0;
  #chain: number;

  constructor(path: string, bytes: Uint8Array, { uuid, cipher }: Header) {
    this.#path = path;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#cipher = cipher;
    this.#uuidCrc = crc32(uuid);
    this.#chain = crc32(bytes.subarray(0, format.HEADER_BYTES));
  }

  /** The next edit; `undefined` at the end. */
  next(): VersionEdit | undefined {
    const at = this.#at;
    const problem = this.#problemAt(at);
    if (problem !== undefined) {
      this.#judgeTail(at, problem);
      return undefined;
    }
    const end = at + format.FRAME_HEADER_BYTES + this.#view.getUint32(at, true);
    const header = this.#bytes.subarray(at, at + format.FRAME_HEADER_BYTES);
    const stored = this.#bytes.subarray(at + format.FRAME_HEADER_BYTES, end);
    const kind = header[format.FRAME_KIND_AT];
    this.#chain = crc32(this.#bytes.subarray(at, end), this.#chain);
    this.#at = end;
    this.#number++;
    const payload = this.#cipher
      ? checked(this.#path, at, () => this.#cipher?.openEdit(at, stored, header) ?? stored)
      : stored;
    if (kind === format.FrameKind.edit) {
      return checked(this.#path, at + format.FRAME_HEADER_BYTES, () => decodeEdit(payload));
    }
    if (kind === format.FrameKind.closed && end === this.#bytes.length) return undefined;
    throw corrupt(this.#path, at, `expected an edit or the end, got a frame of kind ${kind}`);
  }

  /** What is wrong with a frame at `at`; `undefined` for nothing. */
  #problemAt(at: number): string | undefined {
    const left = this.#bytes.length - at;
    if (left < format.FRAME_HEADER_BYTES) return `expected a frame, got ${left} bytes`;
    if (!this.#isHeader(at)) return 'the checksum of a frame header does not fit';
    const length = this.#view.getUint32(at, true);
    if (length > left - format.FRAME_HEADER_BYTES) return `expected ${length} bytes of payload`;
    const number = this.#view.getUint32(at + format.FRAME_NUMBER_AT, true);
    if (number !== this.#number) return `expected edit ${this.#number}, got ${number}`;
    if (this.#view.getUint32(at + format.FRAME_CHAIN_AT, true) !== this.#chain) {
      return 'the frame belongs behind other bytes';
    }
    const from = at + format.FRAME_HEADER_BYTES;
    const crc = this.#view.getUint32(at + format.FRAME_PAYLOAD_CRC_AT, true);
    if (crc32(this.#bytes.subarray(from, from + length)) !== crc) {
      return 'the checksum of a payload does not fit';
    }
    return undefined;
  }

  #isHeader(at: number): boolean {
    const header = this.#bytes.subarray(at, at + format.FRAME_CRC_AT);
    return this.#view.getUint32(at + format.FRAME_CRC_AT, true) === crc32(header, this.#uuidCrc);
  }

  /** Throws `LSM_CORRUPT` unless what begins at `at` is a torn tail, or nothing. */
  #judgeTail(at: number, problem: string): void {
    if (at === this.#bytes.length && this.#number > 0) return;
    if (this.#number === 0) throw corrupt(this.#path, at, problem);
    for (let next = at + 1; next <= this.#bytes.length - format.FRAME_HEADER_BYTES; next++) {
      if (this.#isHeader(next)) {
        throw corrupt(this.#path, at, `${problem}, and a later edit is at ${next}`);
      }
    }
  }
}

/** Runs `read`; what codec throws becomes an `LsmError` that names file and offset. */
function checked<T>(path: string, offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) {
      if (error.code !== 'FORMAT_TOO_NEW') throw corrupt(path, offset, error.message, error);
      throw new LsmError('LSM_TOO_NEW', `${path}: ${error.message}`, { file: path, cause: error });
    }
    if (!(error instanceof CryptoError)) throw error;
    throw new LsmError('LSM_WRONG_KEY', `${path}: ${error.message}`, {
      file: path,
      offset,
      cause: error,
    });
  }
}
