/**
 * Every bit of a log of three segments is flipped, every length cut, every file deleted, swapped,
 * doubled or replaced by an older self: what is read is identical, or the log refuses with a typed
 * verdict and has changed nothing. The one exception is the last group of a log that was neither
 * closed nor idle, which the format document names.
 */

import { crc32, lsn } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, WalError, type WalReplay } from '@nendb/wal';
import { describe, expect, test } from 'vitest';
import * as format from '../src/format.js';
import { emptyFrameHeader, frameSeed, readFrameHeader } from '../src/frame.js';
import { MemoryVfs } from './memory-vfs.js';
import { build, type Ending, type Files, filesOf, LAST, SEGMENTS } from './offline/damaged-log.js';
import { DIR, type Oracle, openSim, SMALL } from './sim-log.js';

/** How a log with these files turns out. */
interface Outcome {
  /** Set where the log refuses. */
  error?: WalError;
  verdict?: string;
  records?: [number, string][];
}

async function outcome(files: Files): Promise<Outcome> {
  const vfs = new MemoryVfs(DIR, files);
  const records: [number, string][] = [];
  const recover: WalReplay = {
    from: lsn(1),
    onRecord: (at, bytes, from, to) => {
      const record = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
      records.push([at, record.toString('latin1')]);
    },
  };
  try {
    const options = { dir: DIR, vfs, lock: false, preallocate: false, recover };
    const { recovery } = await Wal.open({ ...SMALL, ...options });
    return { verdict: recovery.verdict, records };
  } catch (error) {
    if (vfs.changes > 0) throw new Error('a refusal changed something', { cause: error });
    if (error instanceof WalError) return { error };
    throw error;
  }
}

const REFUSALS = ['WAL_CORRUPT', 'WAL_MISSING_SEGMENT', 'WAL_TOO_NEW'];

function checkRefusal({ error }: Outcome, what: string): void {
  expect(REFUSALS, what).toContain(error?.code);
  expect(error?.file, what).toBeDefined();
}

function whole(oracle: Oracle): [number, string][] {
  return oracle.payloads.map((text, i): [number, string] => [i + 1, text]);
}

/** Whether the records are the first ones of `oracle`; quicker than a deep comparison. */
function identical(records: readonly [number, string][], oracle: Oracle): boolean {
  return records.every(([lsn, text], i) => lsn === i + 1 && text === oracle.payloads[i]);
}

/** Records that each life begins with where bits are flipped: 2.8 KB of frames in each segment. */
const SIZES = [900, 30, 700, 0, 500, 300];
const BITS = [0, 1, 2, 3, 4, 5, 6, 7];

/** Which bits of a byte are flipped. */
function bitsAt(name: string, at: number, ending: Ending, lastGroupAt: number): readonly number[] {
  // HEAD is read in its two slots only.
  if (name === 'HEAD' && at % 4096 >= 512) return [];
  // Headers are mostly padding under one checksum: one bit of each of their bytes.
  if (at < 512 || name === 'HEAD') return [at % 8];
  // What is the same in all three logs is flipped in one: every bit of every frame.
  return ending === 'idle' || (ending === 'busy' && at >= lastGroupAt) ? BITS : [at % 8];
}

describe.each<Ending>(['closed', 'idle', 'busy'])('R13: a log that is %s', (ending) => {
  test('has every bit flipped: identical, or refused by name', async () => {
    const { files, oracle } = await build(ending, SIZES);
    expect([...files.keys()].sort()).toEqual([...SEGMENTS, 'HEAD']);
    expect((await outcome(files)).records).toEqual(whole(oracle));
    const lastGroupAt = (files.get(LAST) as Uint8Array).length - 256;
    const counts = { frameBytes: 0, frameFlips: 0, refused: 0, window: 0 };
    for (const [name, bytes] of files) {
      // The first two segments and HEAD are the same in all three logs.
      if (ending !== 'idle' && name !== LAST) continue;
      if (name !== 'HEAD') counts.frameBytes += bytes.length - 512;
      const flipped = bytes.slice();
      const damaged = new Map(files).set(name, flipped);
      for (let at = 0; at < bytes.length; at++) {
        for (const bit of bitsAt(name, at, ending, lastGroupAt)) {
          if (name !== 'HEAD' && at >= 512) counts.frameFlips++;
          flipped[at] ^= 1 << bit;
          const found = await outcome(damaged);
          flipped[at] = bytes[at];
          const { error, records = [] } = found;
          if (error && REFUSALS.includes(error.code) && error.file !== undefined) {
            counts.refused++;
          } else if (error || records.length !== oracle.payloads.length) {
            // The documented window: the last group of a log that was busy when it died.
            const what = `${name} byte ${at} bit ${bit}`;
            expect(ending, what).toBe('busy');
            expect(found.verdict, what).toBe('torn');
            expect(records, what).toEqual(whole(oracle).slice(0, -1));
            counts.window++;
          } else if (!identical(records, oracle)) {
            expect(records, `${name} byte ${at} bit ${bit}`).toEqual(whole(oracle));
          }
        }
      }
    }
    expect(counts.window > 0).toBe(ending === 'busy');
    expect(counts.refused).toBeGreaterThan(1000);
    if (ending !== 'idle') return;
    expect(counts.frameBytes).toBeGreaterThanOrEqual(8192);
    expect(counts.frameFlips).toBe(8 * counts.frameBytes);
    // All but trailers and idle marks, which no record rests on.
    expect(counts.refused).toBeGreaterThan(0.9 * counts.frameFlips);
  }, 300_000);

  test('is cut to every length: a prefix of whole units, or refused', async () => {
    const { files, oracle } = await build(ending);
    for (const name of SEGMENTS) {
      if (ending !== 'busy' && name !== LAST) continue;
      const bytes = files.get(name) as Uint8Array;
      for (let length = 0; length < bytes.length; length += length < 512 ? 37 : 1) {
        const what = `${name} cut to ${length}`;
        const found = await outcome(new Map(files).set(name, bytes.slice(0, length)));
        if (found.error) {
          checkRefusal(found, what);
          continue;
        }
        const records = found.records ?? [];
        expect(identical(records, oracle), what).toBe(true);
        if (name !== LAST || ending === 'closed')
          expect(records.length).toBe(oracle.payloads.length);
        else expect(oracle.unitEnds.has(records.length), what).toBe(true);
      }
    }
  });
});

describe('R13: a log whose files', () => {
  test.each([...SEGMENTS, 'HEAD'])('lack %s refuses to open', async (name) => {
    const { files } = await build('closed');
    files.delete(name);
    const found = await outcome(files);
    expect(found.error?.code).toBe('WAL_MISSING_SEGMENT');
    expect(found.error?.file).toBe(`${DIR}/${name}`);
  });

  test('are all gone but HEAD refuses to open', async () => {
    const { files } = await build('closed');
    const found = await outcome(new Map([['HEAD', files.get('HEAD') as Uint8Array]]));
    expect(found.error?.code).toBe('WAL_MISSING_SEGMENT');
  });

  test.each([
    [0, 1],
    [0, 2],
    [1, 2],
  ])('%i and %i are swapped refuses to open', async (a, b) => {
    const { files } = await build('closed');
    const first = files.get(SEGMENTS[a]) as Uint8Array;
    files.set(SEGMENTS[a], files.get(SEGMENTS[b]) as Uint8Array).set(SEGMENTS[b], first);
    const found = await outcome(files);
    expect(found.error?.code).toBe('WAL_CORRUPT');
  });

  test.each(SEGMENTS)('hold %s twice, also as the next one, refuses to open', async (name) => {
    const { files } = await build('closed');
    files.set(`${'4'.padStart(16, '0')}.wal`, files.get(name) as Uint8Array);
    const found = await outcome(files);
    expect(found.error?.code).toBe('WAL_CORRUPT');
  });

  test('end in an older copy of the last segment refuses, if it was closed', async () => {
    const { files, older } = await build('closed');
    const found = await outcome(new Map(files).set(LAST, older.get(LAST) as Uint8Array));
    expect(found.error?.code).toBe('WAL_CORRUPT');
  });

  test('hold a segment of another log refuses to open', async () => {
    const { files } = await build('closed');
    const sim = new SimVfs({ seed: 77, record: false });
    await sim.run(async () => {
      const { wal } = await openSim(sim);
      await wal.close();
    });
    const foreign = filesOf(sim).get(SEGMENTS[0]) as Uint8Array;
    const found = await outcome(new Map(files).set(SEGMENTS[0], foreign));
    expect(found.error?.code).toBe('WAL_CORRUPT');
  });
});

/** Sets both checksums of the frame at `at` right again: what a hand can do, and no disk. */
function reseal(bytes: Uint8Array, at: number, seed: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const payloadAt = at + format.FRAME_HEADER_BYTES;
  const payloadBytes = view.getUint32(at + format.FRAME_PAYLOAD_BYTES_AT, true);
  const payload = bytes.subarray(payloadAt, payloadAt + payloadBytes);
  view.setUint32(at + format.FRAME_PAYLOAD_CRC_AT, crc32(payload), true);
  const header = emptyFrameHeader();
  const place = new DataView(new ArrayBuffer(8));
  place.setBigUint64(0, BigInt(at), true);
  const before = crc32(new Uint8Array(place.buffer), seed);
  const crc = crc32(bytes.subarray(at + format.FRAME_CRC_FROM, payloadAt), before);
  view.setUint32(at + format.FRAME_CRC_AT, crc, true);
  expect(readFrameHeader(bytes, view, at, header, at, seed)).toBe(true);
}

test('R13: a frame of a sealed segment that is another one, with right checksums, breaks the chain', async () => {
  const { files, oracle } = await build('closed');
  const bytes = Uint8Array.from(files.get(SEGMENTS[0]) as Uint8Array);
  const view = new DataView(bytes.buffer);
  const at = view.getUint32(format.HEADER_BYTES_AT, true);
  const uuidAt = format.HEADER_UUID_AT;
  const seed = frameSeed(bytes.subarray(uuidAt, uuidAt + 16));
  reseal(bytes, at, seed);
  expect((await outcome(new Map(files).set(SEGMENTS[0], bytes))).records).toEqual(whole(oracle));
  bytes[at + format.FRAME_HEADER_BYTES + 5] ^= 1;
  reseal(bytes, at, seed);
  const { error } = await outcome(new Map(files).set(SEGMENTS[0], bytes));
  expect(error).toMatchObject({ code: 'WAL_CORRUPT', file: `${DIR}/${SEGMENTS[0]}` });
  expect(error?.message).toContain('chained checksum');
});

/** No record is lost with an idle mark, but the place is one that what follows knows to be synced. */
test('R13: a damaged idle mark is damage, and what follows it no torn tail', async () => {
  const sim = new SimVfs({ seed: 8, record: false });
  const places = await sim.run(async () => {
    const { wal } = await openSim(sim, { preallocate: false });
    await wal.append(Buffer.from('before'));
    const from = wal.position.offset;
    await sim.settle(500);
    const to = wal.position.offset;
    await wal.append(Buffer.from('after'));
    return { from, to };
  });
  expect(places.to - places.from).toBe(format.FRAME_HEADER_BYTES);
  const files = filesOf(sim);
  expect((await outcome(files)).records).toHaveLength(2);
  for (let at = places.from; at < places.to; at++) {
    const bytes = Uint8Array.from(files.get(SEGMENTS[0]) as Uint8Array);
    bytes[at] ^= 1 << (at % 8);
    const { error } = await outcome(new Map(files).set(SEGMENTS[0], bytes));
    expect(error, `offset ${at}`).toMatchObject({ code: 'WAL_CORRUPT', offset: places.from });
  }
});

describe('R13: zeros', () => {
  test.each([1, 7, 8, 63, 64, 511, 4096])(
    '%i behind the last frame are a clean end',
    async (zeros) => {
      const { files, oracle } = await build('busy');
      const bytes = files.get(LAST) as Uint8Array;
      const longer = new Uint8Array(bytes.length + zeros);
      longer.set(bytes);
      const found = await outcome(new Map(files).set(LAST, longer));
      expect(found.verdict).toBe('clean');
      expect(found.records).toEqual(whole(oracle));
    },
  );

  test('inside what was acknowledged are damage', async () => {
    const { files } = await build('idle');
    const bytes = (files.get(LAST) as Uint8Array).slice().fill(0, 512, 640);
    const found = await outcome(new Map(files).set(LAST, bytes));
    expect(found.error?.code).toBe('WAL_CORRUPT');
    expect(found.error?.offset).toBe(512);
  });
});
