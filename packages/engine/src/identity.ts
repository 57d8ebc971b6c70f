/**
 * `IDENTITY`: whose directory this is (R5). Written once, when a database is made.
 *
 *     0          48           52          52+n      56+n
 *     +----------+------------+-----------+---------+
 *     | preamble | body bytes | body      | crc     |
 *     | 48       | u32        | JSON, n   | u32     |
 *     +----------+------------+-----------+---------+
 *
 * The checksum covers bytes 48 to 52+n. The body is JSON, `{ storeKind, ready }`, for people too.
 *
 * Invariants
 *  1. It is written with `ready: false` before the log is made, and replaced with `ready: true` once
 *     the log is durable. So an empty log beside `ready: true` has been lost, and beside
 *     `ready: false` was never made.
 *  2. It is replaced as a whole, durably, or not at all.
 */
import {
  crc32,
  type Features,
  FormatError,
  PREAMBLE_BYTES,
  putPreamble,
  readPreamble,
} from '@nendb/codec';
import { readFully, replaceFile, type Vfs } from '@nendb/vfs';
import * as z from 'zod/mini';
import { artefactIn, IDENTITY_FILE } from './directory.js';
import { EngineError } from './errors.js';
import { IDENTITY_BYTES_MAX } from './limits.js';

export const IDENTITY_MAGIC = 'NENIDENT';
export const IDENTITY_VERSION = 1;
export const IDENTITY_FEATURES: Features = { compat: 0, readOnlyCompat: 0, incompat: 0 };

const BODY_AT = PREAMBLE_BYTES + 4;
const CRC_BYTES = 4;

const bodySchema = z.strictObject({ storeKind: z.string(), ready: z.boolean() });

export interface Identity extends z.infer<typeof bodySchema> {
  /** 16 bytes. */
  databaseUuid: Uint8Array;
}

/** Encodes an identity as the bytes of its file. */
export function encodeIdentity({ databaseUuid, ...body }: Identity): Buffer {
  const text = Buffer.from(JSON.stringify(body));
  const bytes = Buffer.alloc(BODY_AT + text.length + CRC_BYTES);
  putPreamble(bytes, 0, {
    magic: IDENTITY_MAGIC,
    version: IDENTITY_VERSION,
    ...IDENTITY_FEATURES,
    databaseUuid,
  });
  bytes.writeUInt32LE(text.length, PREAMBLE_BYTES);
  text.copy(bytes, BODY_AT);
  const crcAt = BODY_AT + text.length;
  bytes.writeUInt32LE(crc32(bytes.subarray(PREAMBLE_BYTES, crcAt)), crcAt);
  return bytes;
}

/** Decodes the bytes of an identity file. Throws `FormatError`. */
export function decodeIdentity(bytes: Buffer): Identity {
  const { databaseUuid } = readPreamble(bytes, {
    magic: IDENTITY_MAGIC,
    version: IDENTITY_VERSION,
    ...IDENTITY_FEATURES,
    forWriting: true,
  });
  const bodyBytes = bytes.length < BODY_AT ? -1 : bytes.readUInt32LE(PREAMBLE_BYTES);
  const crcAt = BODY_AT + bodyBytes;
  if (bodyBytes < 0 || bytes.length !== crcAt + CRC_BYTES) {
    throw new FormatError(
      'FORMAT_TRUNCATED',
      `expected a whole identity file, got ${bytes.length} bytes`,
    );
  }
  if (bytes.readUInt32LE(crcAt) !== crc32(bytes.subarray(PREAMBLE_BYTES, crcAt))) {
    throw new FormatError(
      'FORMAT_BAD_CHECKSUM',
      'expected the identity body to match its checksum',
    );
  }
  const body = bodySchema.safeParse(parseJson(bytes.toString('utf8', BODY_AT, crcAt)), {
    error: z.locales.en().localeError,
  });
  if (!body.success) throw new FormatError('FORMAT_BAD_VALUE', z.prettifyError(body.error));
  return { databaseUuid, ...body.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError('FORMAT_BAD_VALUE', `expected the identity body to be JSON: ${error}`);
  }
}

/**
 * The identity of a data directory, or `undefined` where no database was ever made. Throws
 * `ENGINE_TOO_NEW`, and `ENGINE_CORRUPT` where it is damaged or missing beside what only a database
 * leaves.
 */
export async function readIdentity(vfs: Vfs, dir: string): Promise<Identity | undefined> {
  const path = `${dir}/${IDENTITY_FILE}`;
  // Names come first: a database that is being made has its identity before it has a log.
  const names = (await vfs.stat(dir))?.kind === 'directory' ? await vfs.readdir(dir) : [];
  if (!(await vfs.stat(path))) {
    const artefact = artefactIn(names);
    if (artefact === undefined) return undefined;
    throw new EngineError(
      'ENGINE_CORRUPT',
      `expected ${path} beside ${artefact}, it is missing: restore it from a backup of the directory`,
    );
  }
  const file = await vfs.open(path, 'read');
  try {
    const size = await file.size();
    const bytes = Buffer.alloc(Math.min(size, IDENTITY_BYTES_MAX));
    const length = await readFully(file, bytes, 0);
    return decodeIdentity(bytes.subarray(0, length));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new EngineError(
      error.code === 'FORMAT_TOO_NEW' ? 'ENGINE_TOO_NEW' : 'ENGINE_CORRUPT',
      `${path}: ${error.message}`,
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

/** Writes the identity, durably, in place of an older one. */
export async function writeIdentity(vfs: Vfs, dir: string, identity: Identity): Promise<void> {
  await replaceFile(vfs, `${dir}/${IDENTITY_FILE}`, encodeIdentity(identity));
}
