/**
 * R6: a region that version 1 wrote is read forever. `fixtures/region-v1.bin` was left in use, with a
 * committed transaction in its log and a block of nobody.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Region } from '@nendb/pmem';
import { expect, test } from 'vitest';

const FIXTURE = fileURLToPath(new URL('./fixtures/region-v1.bin', import.meta.url));

test('R6: the fixture of version 1 is recovered', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'nendb-pmem-fixture-'));
  const path = join(dir, 'region');
  copyFileSync(FIXTURE, path);
  const region = await Region.open({ backend: 'file', path, create: false });
  try {
    expect(region.opening).toEqual({ how: 'recovered', redone: true, returnedBlocks: 1 });
    expect(Buffer.from(region.uuid).toString('hex')).toBe('00112233445566778899aabbccddeeff');
    expect(region.bytesMax).toBe(16384);
    expect(region.meta.u32(3)).toBe(0xcafe_f00d);
    expect(region.meta.f64(5)).toBe(2 ** 53 - 1);
    const named = region.root(0);
    expect(region.sizeOf(named)).toBe(300);
    const text = region.windows[0].u8.subarray(named, named + 11);
    expect(Buffer.from(text).toString()).toBe('version one');
    expect(region.sizeOf(region.root(1))).toBe(1000);
    expect(region.verify()).toMatchObject({ ok: true, ownedBlocks: 2, pendingBlocks: 0 });
  } finally {
    await region.close();
    rmSync(dir, { recursive: true });
  }
});
