/**
 * The first 48 bytes of every NenDB file: what it is, whose it is, and who may read it.
 *
 *     0        8         12       16               20       24         40      44     48
 *     +--------+---------+--------+----------------+--------+----------+-------+------+
 *     | magic  | version | compat | readOnlyCompat | incompat | database | zero  | crc  |
 *     | 8 text | u32     | u32    | u32            | u32      | uuid 16  | u32   | u32  |
 *     +--------+---------+--------+----------------+--------+----------+-------+------+
 *
 * Little-endian. The checksum covers bytes 0 to 43.
 *
 * Feature bits, as in ext4: an unknown `compat` bit is ignored, an unknown `readOnlyCompat` bit
 * allows reading but not writing, an unknown `incompat` bit refuses the file.
 */
import { crc32 } from './crc32.js';
import { FormatError } from './errors.js';
import { UUID_BYTES } from './uuid.js';

export const PREAMBLE_BYTES = 48;
const MAGIC_BYTES = 8;
const VERSION_AT = 8;
const COMPAT_AT = 12;
const READ_ONLY_COMPAT_AT = 16;
const INCOMPAT_AT = 20;
const UUID_AT = 24;
const ZERO_AT = 40;
const CRC_AT = 44;

export interface Features {
  compat: number;
  readOnlyCompat: number;
  incompat: number;
}

export const NO_FEATURES: Features = { compat: 0, readOnlyCompat: 0, incompat: 0 };

export interface Preamble extends Features {
  /** Eight ASCII characters. */
  magic: string;
  /** From 1. */
  version: number;
  /** 16 bytes: the database the file belongs to. */
  databaseUuid: Uint8Array;
}

/** What a reader can cope with. */
export interface Readable extends Features {
  magic: string;
  /** The newest version it knows. */
  version: number;
  /** Whether it wants to write to the file: unknown `readOnlyCompat` bits then refuse it. */
  forWriting?: boolean;
}

/**
 * Writes `preamble` into `target` at `at`; returns the offset behind it. Throws `RangeError` where
 * a field or the room in `target` is not what the format asks for.
 */
export function putPreamble(target: Uint8Array, at: number, preamble: Preamble): number {
  if (!/^[\x21-\x7e]{8}$/.test(preamble.magic)) {
    throw new RangeError(
      `expected a magic of ${MAGIC_BYTES} printable ASCII characters, got ${JSON.stringify(preamble.magic)}`,
    );
  }
  if (preamble.databaseUuid.length !== UUID_BYTES) {
    throw new RangeError(
      `expected a uuid of ${UUID_BYTES} bytes, got ${preamble.databaseUuid.length}`,
    );
  }
  if (!(Number.isInteger(preamble.version) && preamble.version >= 1)) {
    throw new RangeError(`expected a version from 1, got ${preamble.version}`);
  }
  if (!(at >= 0 && at + PREAMBLE_BYTES <= target.length)) {
    throw new RangeError(
      `expected room for ${PREAMBLE_BYTES} bytes at ${at}, the target has ${target.length}`,
    );
  }
  const bytes = Buffer.from(target.buffer, target.byteOffset + at, PREAMBLE_BYTES);
  bytes.write(preamble.magic, 0, 'latin1');
  bytes.writeUInt32LE(preamble.version, VERSION_AT);
  bytes.writeUInt32LE(preamble.compat >>> 0, COMPAT_AT);
  bytes.writeUInt32LE(preamble.readOnlyCompat >>> 0, READ_ONLY_COMPAT_AT);
  bytes.writeUInt32LE(preamble.incompat >>> 0, INCOMPAT_AT);
  bytes.set(preamble.databaseUuid, UUID_AT);
  bytes.writeUInt32LE(0, ZERO_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_AT)), CRC_AT);
  return at + PREAMBLE_BYTES;
}

/**
 * Reads and checks the preamble at the start of `bytes`; `readable` says what the caller knows.
 *
 * Throws `FormatError`: `FORMAT_TRUNCATED`, `FORMAT_BAD_MAGIC`, `FORMAT_BAD_CHECKSUM`,
 * `FORMAT_BAD_VALUE`, `FORMAT_TOO_NEW`. The magic is checked before the checksum, so that another
 * kind of file is called that and not corrupt; the checksum before the version, so that a flipped
 * bit is not called a newer release.
 */
export function readPreamble(bytes: Uint8Array, readable: Readable): Preamble {
  if (bytes.length < PREAMBLE_BYTES) {
    throw new FormatError(
      'FORMAT_TRUNCATED',
      `expected a preamble of ${PREAMBLE_BYTES} bytes, got ${bytes.length}`,
    );
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  const magic = view.toString('latin1', 0, MAGIC_BYTES);
  if (magic !== readable.magic) {
    throw new FormatError(
      'FORMAT_BAD_MAGIC',
      `expected magic ${JSON.stringify(readable.magic)}, got ${JSON.stringify(magic)}`,
    );
  }
  const stored = view.readUInt32LE(CRC_AT);
  const computed = crc32(view.subarray(0, CRC_AT));
  if (stored !== computed) {
    throw new FormatError(
      'FORMAT_BAD_CHECKSUM',
      `expected preamble checksum ${hex(stored)}, got ${hex(computed)}`,
    );
  }
  if (view.readUInt32LE(ZERO_AT) !== 0) {
    throw new FormatError('FORMAT_BAD_VALUE', `expected zero at preamble offset ${ZERO_AT}`);
  }
  const version = view.readUInt32LE(VERSION_AT);
  if (version === 0) throw new FormatError('FORMAT_BAD_VALUE', 'expected a version from 1, got 0');
  if (version > readable.version) {
    throw new FormatError(
      'FORMAT_TOO_NEW',
      `expected version ${readable.version} or older of ${magic}, got ${version}: use a newer release`,
    );
  }
  const preamble: Preamble = {
    magic,
    version,
    compat: view.readUInt32LE(COMPAT_AT),
    readOnlyCompat: view.readUInt32LE(READ_ONLY_COMPAT_AT),
    incompat: view.readUInt32LE(INCOMPAT_AT),
    databaseUuid: new Uint8Array(view.subarray(UUID_AT, UUID_AT + UUID_BYTES)),
  };
  refuseUnknown(magic, 'incompat', preamble.incompat, readable.incompat);
  if (readable.forWriting) {
    refuseUnknown(magic, 'readOnlyCompat', preamble.readOnlyCompat, readable.readOnlyCompat);
  }
  return preamble;
}

function refuseUnknown(magic: string, set: keyof Features, found: number, known: number): void {
  const unknown = (found & ~known) >>> 0;
  if (unknown === 0) return;
  throw new FormatError(
    'FORMAT_TOO_NEW',
    `expected ${set} features within ${hex(known)} in ${magic}, got unknown ${hex(unknown)}: use a newer release`,
  );
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
