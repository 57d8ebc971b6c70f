/**
 * Blocks whose checksums are good and whose contents no writer writes: a fault of a program, or somebody's hand.
 * A reader says `LSM_CORRUPT`, or reads something; it never fails otherwise, and never reads out of a block.
 */
import { crc32 } from '@nendb/codec';
import type { SimVfs } from '@nendb/vfs/sim';
import { expect, test } from 'vitest';
import { EntryKind } from '../../src/entry.js';
import { LsmError } from '../../src/errors.js';
import { emptyEntry, type Version, walk } from '../entries.js';
import { build, machine, open, PATH } from './tables.js';

const versions: Version[] = Array.from({ length: 30 }, (_, i) => ({
  key: Uint8Array.from(Buffer.from(`key${String(i).padStart(3, '0')}`)),
  sequence: 1000 - i,
  kind: i % 7 === 0 ? EntryKind.delete : EntryKind.put,
  value: Uint8Array.from(Buffer.from(i % 7 === 0 ? '' : `v${i}`)),
  expireAtMs: i % 5 === 0 ? 1_800_000_000_000 : 0,
}));

/** Offsets and lengths of all blocks, one behind the other. */
function blocksOf(file: Buffer): { offset: number; bytes: number }[] {
  const blocks: { offset: number; bytes: number }[] = [];
  for (let offset = 120; offset < file.length - 100; ) {
    const bytes = 16 + file.readUInt32LE(offset + 8);
    blocks.push({ offset, bytes });
    offset += bytes;
  }
  return blocks;
}

function write(vfs: SimVfs, bytes: Uint8Array, at: number): void {
  const file = vfs.openSync(PATH, 'write');
  file.writeAtSync(bytes, at);
  file.closeSync();
}

/** Reads everything in every way; what comes out does not matter, only how it fails. */
function readAll(vfs: SimVfs): void {
  const file = vfs.openSync(PATH, 'read');
  file.closeSync();
  const table = open(vfs);
  const into = emptyEntry();
  for (const { key } of versions) {
    if (table.mayContain(key, 0, key.length)) table.get(key, 0, key.length, 2000, into);
  }
  const cursor = table.cursor({ fillCache: false });
  walk(cursor, 'forwards');
  walk(cursor, 'backwards');
  cursor.close();
  table.verify();
}

test('no content of a block with a good checksum makes a reader fail otherwise', () => {
  const vfs = machine();
  build(vfs, versions, { blockBytes: 256, indexPartitionBytes: 128 }, [
    { gte: Buffer.from('a'), lt: Buffer.from('b'), sequence: 3 },
  ]);
  const reading = vfs.openSync(PATH, 'read');
  const original = Buffer.alloc(reading.sizeSync());
  reading.readAtSync(original, 0);
  reading.closeSync();
  const outcomes = { refused: 0, read: 0 };
  for (const { offset, bytes } of blocksOf(original)) {
    const place = Buffer.alloc(8);
    place.writeBigUInt64LE(BigInt(offset));
    const seed = crc32(place, crc32(original.subarray(48, 64)));
    for (let at = offset + 16; at < offset + bytes; at++) {
      for (const value of [0, 0xff, original[at] ^ 0x80, original[at] + 1]) {
        const block = Buffer.from(original.subarray(offset, offset + bytes));
        block[at - offset] = value;
        block.writeUInt32LE(crc32(block.subarray(4), seed), 0);
        write(vfs, block, offset);
        try {
          readAll(vfs);
          outcomes.read++;
        } catch (error) {
          if (!(error instanceof LsmError) || error.code !== 'LSM_CORRUPT') {
            expect(error, `byte ${at} of the block at ${offset} as ${value}`).toBeInstanceOf(
              LsmError,
            );
          }
          outcomes.refused++;
        }
      }
    }
    write(vfs, original.subarray(offset, offset + bytes), offset);
  }
  readAll(vfs);
  expect(outcomes.refused).toBeGreaterThan(outcomes.read);
});
