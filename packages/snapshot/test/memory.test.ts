import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Snapshot } from '@nendb/snapshot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { header, uuid } from './fixture.js';

const CHUNK_BYTES = 1 << 20;
const IMAGE_BYTES = 256 << 20;
/** Blocks that the collector has not come to yet; far from the 256 MiB of the image. */
const GROWTH_BYTES_MAX = 96 << 20;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-snapshot-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** How much memory of this thread is in use, in bytes. */
function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('an image of 256 MiB', () => {
  it('is written and loaded in a fraction of that', async () => {
    const before = usedBytes();
    let most = before;
    const sample = () => {
      most = Math.max(most, usedBytes());
    };
    function* chunks() {
      const chunk = new Uint8Array(CHUNK_BYTES);
      for (let done = 0; done < IMAGE_BYTES; done += CHUNK_BYTES) yield chunk.fill(done >> 20);
    }
    const info = await Snapshot.write(dir, {
      ...header(1),
      chunks: chunks(),
      compression: 'deflate',
      bytesExpected: CHUNK_BYTES,
      onProgress: sample,
    });
    expect(info.payloadBytes).toBe(IMAGE_BYTES);
    const image = await Snapshot.load(dir, { uuid });
    sample();
    let at = 0;
    for await (const chunk of image!.chunks) {
      if (chunk[0] !== ((at >> 20) & 0xff)) throw new Error(`other bytes at ${at}`);
      at += chunk.length;
      sample();
    }
    expect(at).toBe(IMAGE_BYTES);
    expect(most - before).toBeLessThan(GROWTH_BYTES_MAX);
  });
});
