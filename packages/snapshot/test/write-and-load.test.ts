import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lsn } from '@nendb/codec';
import { Snapshot } from '@nendb/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-snapshot-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const uuid = Uint8Array.from({ length: 16 }, (_, i) => i);
const header = { lsn: lsn(42), epoch: 3, uuid, databaseTimeMs: 1_700_000_000_000 };

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe('on the real machine', () => {
  it('loads what was written, through a worker thread', async () => {
    const data = Buffer.alloc(1_000_003);
    for (let i = 0; i < data.length; i++) data[i] = (i * 31 + (i >> 8)) & 0xff;
    const sub = join(dir, 'a', 'b');
    const info = await Snapshot.write(sub, {
      ...header,
      chunks: [data.subarray(0, 7), data.subarray(7)],
    });
    expect(readdirSync(sub)).toEqual(['nendb.snapshot']);
    const image = await Snapshot.load(sub, { uuid });
    expect(image).toMatchObject({ header, source: 'newest', info });
    expect(image?.reason).toBeUndefined();
    expect(data.equals(await bytesOf(image!.chunks))).toBe(true);
  });
});
