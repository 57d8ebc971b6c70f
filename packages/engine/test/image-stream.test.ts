import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Databases } from '../src/effects/databases.js';
import { encodeDatabases, runsOf, streamImage } from '../src/image-stream.js';
import { IMAGE_CHUNK_BYTES_MAX } from '../src/limits.js';
import type { StoreImage } from '../src/stores/store.js';

const timers = {
  after: () => {
    throw new Error('expected no delay');
  },
  turnEnd: (callback: () => void) => setImmediate(callback),
};

function imageOf(runs: readonly Uint8Array[]): StoreImage {
  const left = [...runs];
  return { next: () => left.shift(), release: () => undefined };
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Cut at these offsets, empty pieces included. */
async function* cut(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const at of [...cuts, bytes.length].sort((a, b) => a - b)) {
    yield Uint8Array.from(bytes.subarray(from, at));
    from = at;
  }
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const runs: Buffer[] = [];
  for await (const run of runsOf(chunks)) runs.push(Buffer.from(run));
  return runs;
}

describe('the stream of an image', () => {
  it('gives its runs back however it is cut, the map of databases first, empty ones left out', async () => {
    const run = fc.uint8Array({ maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(run), fc.array(fc.nat(200)), async (runs, cuts) => {
        const databases = encodeDatabases(new Databases());
        const bytes = await gather(streamImage(databases, imageOf(runs), timers));
        const within = cuts.map((at) => Math.min(at, bytes.length));
        const expected = [databases, ...runs.filter(({ length }) => length > 0)];
        expect(await readAll(cut(bytes, within))).toEqual(expected.map((r) => Buffer.from(r)));
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it('is refused where it ends inside a run, and where a length cannot be', async () => {
    const bytes = await gather(
      streamImage(Buffer.from('abc'), imageOf([Buffer.from('de')]), timers),
    );
    expect(bytes.length).toBe(13);
    for (let to = 0; to <= bytes.length; to++) {
      const read = readAll(cut(bytes.subarray(0, to), []));
      if ([0, 7, 13].includes(to)) expect(await read).toHaveLength([0, 7, 13].indexOf(to));
      else await expect(read, `cut to ${to}`).rejects.toMatchObject({ code: 'FORMAT_TRUNCATED' });
    }
    for (const length of [0, IMAGE_CHUNK_BYTES_MAX + 1, 0xffff_ffff]) {
      const wrong = Buffer.alloc(8);
      wrong.writeUInt32LE(length);
      await expect(readAll(cut(wrong, []))).rejects.toMatchObject({ code: 'FORMAT_BAD_VALUE' });
    }
  });
});
