/**
 * The preamble and the life line of a region: what it is, and whether it was closed.
 *
 * Invariants
 *  1. The magic is written last and once. Memory without one was never finished, and holds
 *     nothing; a file gets its name after it has one.
 *  2. The life line says "in use" durably before the first store after an open, and "clean" after
 *     everything else is durable.
 */
import { crc32 } from 'node:zlib';
import { LINE_BYTES } from './address.js';
import { PmemError } from './errors.js';
import {
  HEADER_BYTES,
  HEADER_LINES,
  KNOWN_INCOMPAT,
  KNOWN_READ_ONLY_COMPAT,
  LIFE,
  LIFE_CLEAN,
  LIFE_IN_USE,
  MAGIC,
  PREAMBLE,
  VERSION,
  WINDOWS_LINE,
} from './format.js';
import { REGION_BYTES_MAX, REGION_BYTES_MIN, REGION_BYTES_STEP } from './limits.js';
import type { Medium } from './media/medium.js';

export interface Preamble {
  readonly uuid: Uint8Array;
  readonly bytesMax: number;
}

/** What the life line says. `boot` is '' where it is unreadable. */
export interface Life {
  readonly clean: boolean;
  readonly boot: string;
}

/**
 * The preamble in the first bytes of `source`; `undefined` where it has no magic (zeros). Throws
 * `PMEM_CORRUPT` and `PMEM_TOO_NEW`; `where` names the region in messages.
 */
export function readPreamble(source: Uint8Array, where: string): Preamble | undefined {
  const bytes = Buffer.from(source.subarray(0, PREAMBLE.bytes));
  if (bytes.readDoubleLE(PREAMBLE.magic) === 0) return undefined;
  const problem = (what: string) =>
    new PmemError('PMEM_CORRUPT', `${where} is no region: ${what}; give another path or remove it`);
  const magic = bytes.toString('latin1', 0, MAGIC.length);
  if (magic !== MAGIC) throw problem(`expected the magic ${MAGIC}, got ${JSON.stringify(magic)}`);
  const crc = bytes.readUInt32LE(PREAMBLE.crc);
  const expected = crc32(bytes.subarray(0, PREAMBLE.crc));
  if (crc !== expected) throw problem(`expected the checksum ${expected}, got ${crc}`);
  const version = bytes.readUInt32LE(PREAMBLE.version);
  const unknown =
    (bytes.readUInt32LE(PREAMBLE.incompat) & ~KNOWN_INCOMPAT) |
    (bytes.readUInt32LE(PREAMBLE.readOnlyCompat) & ~KNOWN_READ_ONLY_COMPAT);
  if (version > VERSION || unknown !== 0) {
    throw new PmemError(
      'PMEM_TOO_NEW',
      `expected ${where} in version ${VERSION} at most, got version ${version} with features 0x${(unknown >>> 0).toString(16)} that are not known: open it with a newer release`,
    );
  }
  const bytesMax = bytes.readDoubleLE(PREAMBLE.bytesMax);
  if (regionBytes(bytesMax) !== bytesMax) throw problem(`its size of ${bytesMax} bytes cannot be`);
  return { uuid: Uint8Array.from(bytes.subarray(PREAMBLE.uuid, PREAMBLE.uuid + 16)), bytesMax };
}

/** `bytesMax` in whole pages, rounded down. Throws `PMEM_BAD_OPTION` outside the limits. */
export function regionBytes(bytesMax: number): number {
  if (!(bytesMax >= REGION_BYTES_MIN && bytesMax <= REGION_BYTES_MAX)) {
    throw new PmemError(
      'PMEM_BAD_OPTION',
      `expected bytesMax from ${REGION_BYTES_MIN} to ${REGION_BYTES_MAX}, got ${bytesMax}`,
    );
  }
  return Math.floor(bytesMax / REGION_BYTES_STEP) * REGION_BYTES_STEP;
}

/**
 * The first `HEADER_BYTES` of an empty region, closed cleanly: what a file begins with before it gets
 * its name.
 */
export function emptyHeader(bytesMax: number, uuid: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, PREAMBLE.magic, 'latin1');
  header.writeUInt32LE(VERSION, PREAMBLE.version);
  header.set(uuid, PREAMBLE.uuid);
  header.writeDoubleLE(bytesMax, PREAMBLE.bytesMax);
  header.writeUInt32LE(crc32(header.subarray(0, PREAMBLE.crc)), PREAMBLE.crc);
  header.writeUInt32LE(LIFE_CLEAN, LIFE.state);
  header.writeUInt32LE(HEADER_LINES, WINDOWS_LINE * LINE_BYTES);
  return header;
}

/** Makes an empty region of zeroed memory; durable when it returns. */
export function format(medium: Medium, uuid: Uint8Array): void {
  const [window] = medium.windows;
  const header = emptyHeader(medium.bytesMax, uuid);
  medium.reserve(0, HEADER_BYTES);
  window.copyIn(PREAMBLE.version, header, PREAMBLE.version, HEADER_BYTES);
  medium.writeThrough(0, HEADER_BYTES);
  // All of the magic or nothing of it: one store of 8 bytes.
  window.storeF64(0, header.readDoubleLE(PREAMBLE.magic));
  medium.writeThrough(0, PREAMBLE.bytes);
}

export function readLife(medium: Medium): Life {
  const [{ i32, u32, u8 }] = medium.windows;
  const name = Buffer.from(u8.subarray(LIFE.boot, LIFE.boot + LIFE.bootBytes));
  const whole = crc32(name) === u32[LIFE.bootCrc / 4];
  const boot = whole ? name.toString('latin1').replace(/\0+$/, '') : '';
  return { clean: i32[LIFE.state / 4] === LIFE_CLEAN, boot };
}

/** Says durably that the region is in use, on the boot named `boot`. */
export function markInUse(medium: Medium, boot: string): void {
  const [window] = medium.windows;
  const name = Buffer.alloc(LIFE.bootBytes);
  name.write(boot, 'latin1');
  // The state first: whoever sees the new boot must not see "clean" beside it.
  window.commit32(LIFE.state / 4, LIFE_IN_USE);
  window.copyIn(LIFE.boot, name, 0, LIFE.bootBytes);
  window.store32(LIFE.bootCrc / 4, crc32(name) | 0);
  medium.writeThrough(LIFE.state, 64);
}

/** Says durably that the region was closed; everything else is durable already. */
export function markClean(medium: Medium): void {
  medium.windows[0].commit32(LIFE.state / 4, LIFE_CLEAN);
  medium.writeThrough(LIFE.state, 64);
}
