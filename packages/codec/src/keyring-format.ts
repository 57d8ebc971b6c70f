/**
 * The bytes of a keyring: every constant and offset. `docs/formats/keyring.md` draws them.
 *
 *     +----------+---------+-----------+-----------+---------+-----+--------+-----+
 *     | preamble | salt 32 | check 16  | count u32 | entry 0 | ... | mac 32 | crc |
 *     +----------+---------+-----------+-----------+---------+-----+--------+-----+
 *
 *     entry    0 id u32 | 4 created at ms u64 | 12 nonce 12 | 24 wrapped key 32 | 56 tag 16
 *
 * Little-endian. Invariants
 *  1. The checksum covers every byte before it and is looked at before anything but the preamble.
 *  2. Ids are from 1 and grow from entry to entry; the last entry is the active key.
 *  3. `check` is what the master key gives under `salt`: another master key is told from bytes that
 *     were changed. `mac` covers every byte before it: no entry is left out, added or taken from an
 *     older ring without the master key.
 */
import { FILE_SALT_BYTES, KEY_BYTES, TAG_BYTES } from './aead.js';
import { crc32 } from './crc32.js';
import { FormatError } from './errors.js';
import { KEYRING_KEYS_MAX } from './limits.js';
import {
  NO_FEATURES,
  PREAMBLE_BYTES,
  putPreamble,
  type Readable,
  readPreamble,
} from './preamble.js';

const MAGIC = 'NENKEYRG';
const FORMAT_VERSION = 1;
const READABLE: Readable = { magic: MAGIC, version: FORMAT_VERSION, ...NO_FEATURES };

export const CHECK_BYTES = 16;
export const WRAP_NONCE_BYTES = 12;
export const MAC_BYTES = 32;
const CRC_BYTES = 4;

const SALT_AT = PREAMBLE_BYTES;
const CHECK_AT = SALT_AT + FILE_SALT_BYTES;
const COUNT_AT = CHECK_AT + CHECK_BYTES;
const ENTRIES_AT = COUNT_AT + 4;

const ID_AT = 0;
const CREATED_AT = 4;
const NONCE_AT = 12;
const WRAPPED_AT = 24;
const TAG_AT = WRAPPED_AT + KEY_BYTES;
const ENTRY_BYTES = TAG_AT + TAG_BYTES;

const TRAILER_BYTES = MAC_BYTES + CRC_BYTES;
/** A ring has at least one key. */
const KEYRING_BYTES_MIN = ENTRIES_AT + ENTRY_BYTES + TRAILER_BYTES;

/** One data key as it is stored. */
export interface WrappedKey {
  id: number;
  createdAtMs: number;
  nonce: Uint8Array;
  /** The key, encrypted. */
  wrapped: Uint8Array;
  tag: Uint8Array;
}

export interface KeyringFields {
  databaseUuid: Uint8Array;
  salt: Uint8Array;
  check: Uint8Array;
  entries: WrappedKey[];
}

/** A keyring read and found undamaged; `mac` was made over `authenticated`. */
export interface EncodedKeyring extends KeyringFields {
  mac: Uint8Array;
  authenticated: Uint8Array;
}

/** The bytes of a keyring; `mac` authenticates all before itself. */
export function encodeKeyring(
  { databaseUuid, salt, check, entries }: KeyringFields,
  mac: (bytes: Uint8Array) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const encoded = new Uint8Array(ENTRIES_AT + entries.length * ENTRY_BYTES + TRAILER_BYTES);
  const bytes = Buffer.from(encoded.buffer);
  putPreamble(bytes, 0, { magic: MAGIC, version: FORMAT_VERSION, ...NO_FEATURES, databaseUuid });
  bytes.set(salt, SALT_AT);
  bytes.set(check, CHECK_AT);
  bytes.writeUInt32LE(entries.length, COUNT_AT);
  let at = ENTRIES_AT;
  for (const entry of entries) {
    bytes.writeUInt32LE(entry.id, at + ID_AT);
    bytes.writeBigUInt64LE(BigInt(entry.createdAtMs), at + CREATED_AT);
    bytes.set(entry.nonce, at + NONCE_AT);
    bytes.set(entry.wrapped, at + WRAPPED_AT);
    bytes.set(entry.tag, at + TAG_AT);
    at += ENTRY_BYTES;
  }
  bytes.set(mac(bytes.subarray(0, at)), at);
  at += MAC_BYTES;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at);
  return encoded;
}

/** Throws `FormatError`. The fields are copies. */
export function decodeKeyring(source: Uint8Array): EncodedKeyring {
  const { databaseUuid } = readPreamble(source, READABLE);
  if (source.length < KEYRING_BYTES_MIN) {
    throw new FormatError(
      'FORMAT_TRUNCATED',
      `expected a keyring of at least ${KEYRING_BYTES_MIN} bytes, got ${source.length}`,
    );
  }
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.length);
  const crcAt = bytes.length - CRC_BYTES;
  if (bytes.readUInt32LE(crcAt) !== crc32(bytes.subarray(0, crcAt))) {
    throw new FormatError(
      'FORMAT_BAD_CHECKSUM',
      `expected a keyring under its checksum, got ${bytes.length} bytes that do not match theirs: restore it from a backup`,
    );
  }
  const count = bytes.readUInt32LE(COUNT_AT);
  const macAt = ENTRIES_AT + count * ENTRY_BYTES;
  if (count === 0 || count > KEYRING_KEYS_MAX || macAt + TRAILER_BYTES !== bytes.length) {
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected a keyring of 1 to ${KEYRING_KEYS_MAX} keys, got ${count} in ${bytes.length} bytes`,
    );
  }
  const copy = (at: number, length: number) => Uint8Array.from(bytes.subarray(at, at + length));
  const entries: WrappedKey[] = [];
  let last = 0;
  for (let at = ENTRIES_AT; at < macAt; at += ENTRY_BYTES) {
    const id = bytes.readUInt32LE(at + ID_AT);
    const createdAtMs = Number(bytes.readBigUInt64LE(at + CREATED_AT));
    if (id <= last || !Number.isSafeInteger(createdAtMs)) {
      throw new FormatError(
        'FORMAT_BAD_VALUE',
        `expected a key id above ${last} and a time up to 2^53 - 1, got ${id} and ${createdAtMs}`,
      );
    }
    last = id;
    entries.push({
      id,
      createdAtMs,
      nonce: copy(at + NONCE_AT, WRAP_NONCE_BYTES),
      wrapped: copy(at + WRAPPED_AT, KEY_BYTES),
      tag: copy(at + TAG_AT, TAG_BYTES),
    });
  }
  return {
    databaseUuid,
    salt: copy(SALT_AT, FILE_SALT_BYTES),
    check: copy(CHECK_AT, CHECK_BYTES),
    entries,
    mac: copy(macAt, MAC_BYTES),
    authenticated: bytes.subarray(0, macAt),
  };
}
