/**
 * The bytes on disk, by the offsets that `docs/formats/wal.md` draws: written out here once more, so
 * that a change of `format.ts` alone cannot pass.
 */
import { crc32 } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { beforeAll, describe, expect, test } from 'vitest';
import { DIR, openSim } from './sim-log.js';

const DATABASE = new Uint8Array(16).fill(0xdb);
const TIME_MS = 1_800_000_000_123;

let first: Buffer;
let second: Buffer;
let head: Buffer;

beforeAll(async () => {
  const sim = new SimVfs({ record: false });
  await sim.run(async () => {
    const open = () =>
      openSim(sim, { databaseUuid: DATABASE, databaseTimeMs: () => TIME_MS, epochMin: 7 });
    const { wal } = await open();
    await Promise.all([wal.append(Buffer.from('abc')), wal.append(Buffer.from('defgh'))]);
    await wal.append(Buffer.alloc(200, 'x'));
    await wal.close();
    const { wal: again } = await open();
    await again.append(Buffer.from('later'));
    await again.close();
  });
  const files = sim.crashImage({ kind: 'kill' }).files();
  const bytes = (name: string) => Buffer.from(files.get(`${DIR}/${name}`) ?? []);
  first = bytes('0000000000000001.wal');
  second = bytes('0000000000000002.wal');
  head = bytes('HEAD');
});

/** The CRC-32 of a frame header: segment uuid, file offset, bytes 4 to 63. */
function headerCrc(file: Buffer, at: number): number {
  const covered = Buffer.alloc(16 + 8 + 60);
  file.copy(covered, 0, 56, 72);
  covered.writeBigUInt64LE(BigInt(at), 16);
  file.copy(covered, 24, at + 4, at + 64);
  return crc32(covered);
}

describe('R6: the format document tells the truth about', () => {
  test('a segment header', () => {
    expect(first.toString('latin1', 0, 8)).toBe('NENDBWAL');
    expect(first.readUInt32LE(8)).toBe(1);
    expect([12, 16, 20].map((at) => first.readUInt32LE(at))).toEqual([0, 0, 0]);
    expect(first.subarray(24, 40)).toEqual(Buffer.from(DATABASE));
    expect(first.readUInt32LE(48)).toBe(512);
    expect([first.readUInt32LE(52), second.readUInt32LE(52)]).toEqual([1, 3]);
    expect([first.readBigUInt64LE(72), second.readBigUInt64LE(72)]).toEqual([1n, 2n]);
    expect([first.readBigUInt64LE(80), second.readBigUInt64LE(80)]).toEqual([1n, 4n]);
    expect([first.readBigUInt64LE(88), second.readBigUInt64LE(88)]).toEqual([0n, 3n]);
    expect([first.readUInt32LE(96), second.readUInt32LE(96)]).toEqual([7, 8]);
    expect([first.readUInt32LE(100), second.readUInt32LE(100)]).toEqual([1, 2]);
    expect(second.readBigUInt64LE(104)).toBe(BigInt(TIME_MS));
    expect(first.subarray(112, 128)).toEqual(Buffer.alloc(16));
    expect(second.subarray(112, 128)).toEqual(first.subarray(56, 72));
    const epochs = [144, 152, 160, 168].map((at) => second.readBigUInt64LE(at));
    expect(epochs).toEqual([7n, 1n, 8n, 4n]);
    expect(second.readUInt32LE(508)).toBe(crc32(second.subarray(0, 508)));
  });

  test('frames of records', () => {
    // Two records of one turn share a frame of 64 + 1 + 3 + 1 + 5 bytes, padded to 80.
    expect(first.readUInt16LE(512 + 4)).toBe(0x464e);
    expect([first[512 + 6], first[512 + 7]]).toEqual([1, 3]);
    expect(first.readUInt32LE(512 + 8)).toBe(10);
    expect(first.subarray(576, 586)).toEqual(Buffer.from('\x03abc\x05defgh', 'latin1'));
    expect(first.readUInt32LE(512 + 12)).toBe(crc32(first.subarray(576, 586)));
    expect(first.readBigUInt64LE(512 + 16)).toBe(1n);
    expect(first.readUInt32LE(512 + 24)).toBe(2);
    expect(first.readUInt32LE(512 + 28)).toBe(0);
    expect(first.readUInt32LE(512 + 32)).toBe(10);
    expect(first.readUInt32LE(512 + 36)).toBe(7);
    expect(first.readBigUInt64LE(512 + 40)).toBe(BigInt(TIME_MS));
    expect(first.readBigUInt64LE(512 + 48)).toBe(0n);
    expect(first.readUInt32LE(512 + 56)).toBe(512 / 8);
    expect(first.readUInt32LE(512 + 60)).toBe(0);
    expect(first.readUInt32LE(512)).toBe(headerCrc(first, 512));
    expect(first.subarray(586, 592)).toEqual(Buffer.alloc(6));
    // The next one knows that the first two are synced; its length takes two bytes.
    expect(first.readBigUInt64LE(592 + 16)).toBe(3n);
    expect(first.readBigUInt64LE(592 + 48)).toBe(2n);
    expect(first.readUInt32LE(592 + 56)).toBe(592 / 8);
    expect(first.readUInt32LE(592)).toBe(headerCrc(first, 592));
    expect([first[656], first[657]]).toEqual([0xc8, 0x01]);
  });

  test('the trailer, found from the end of the file', () => {
    expect(first.toString('latin1', first.length - 8)).toBe('NENDBEND');
    const at = Number(first.readBigUInt64LE(first.length - 16));
    expect(at).toBe(592 + 64 + 208);
    expect([first[at + 6], first[at + 7]]).toEqual([4, 3]);
    expect(first.readUInt32LE(at)).toBe(headerCrc(first, at));
    expect(first.readUInt32LE(at + 24)).toBe(0);
    expect(first.readBigUInt64LE(at + 48)).toBe(3n);
    const payload = at + 64;
    expect([first.readBigUInt64LE(payload), first.readBigUInt64LE(payload + 8)]).toEqual([3n, 3n]);
    let chain = 0;
    for (const frame of [512, 592]) chain = crc32(first.subarray(frame, frame + 4), chain);
    expect(first.readUInt32LE(payload + 16)).toBe(chain);
    expect(first.readUInt32LE(payload + 20)).toBe(1);
    expect(first.readBigUInt64LE(payload + 24)).toBe(1n);
    expect(first.readBigUInt64LE(payload + 32)).toBe(512n);
    expect(first.length).toBe(payload + 24 + 16 + 16);
    // The successor says the same of where its predecessor ends.
    expect(second.readBigUInt64LE(128)).toBe(BigInt(at));
    expect(second.readUInt32LE(136)).toBe(chain);
  });

  test('HEAD', () => {
    expect(head.length).toBe(8192);
    expect(head.subarray(4096, 4608)).toEqual(head.subarray(0, 512));
    expect(head.toString('latin1', 0, 8)).toBe('NENDBWHD');
    expect(head.subarray(24, 40)).toEqual(Buffer.from(DATABASE));
    expect([56, 64, 80].map((at) => head.readBigUInt64LE(at))).toEqual([1n, 2n, 4n]);
    expect(head.readUInt32LE(72)).toBe(8);
    expect(head.readUInt32LE(508)).toBe(crc32(head.subarray(0, 508)));
  });
});
