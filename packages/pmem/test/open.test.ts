/** Which backend an open gives, and what options it refuses. */
import { Region } from '@nendb/pmem';
import { openSim } from '@nendb/pmem/sim';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';

const BYTES = 64 * 1024;

describe('open', () => {
  test.each([
    ['heap', { durable: 'none', granularityBytes: 64, shared: true }, false],
    ['sim', { durable: 'power', granularityBytes: 64, shared: false }, true],
  ] as const)('gives a region on %s', async (backend, caps, flushes) => {
    const region = await Region.open({ backend, bytesMax: BYTES + 4095 });
    expect(region).toMatchObject({ backend, caps, flushes, bytesMax: BYTES });
    region.alloc(100, { into: region.rootWord(0) });
    expect(region.verify().ok).toBe(true);
    await region.close();
  });

  test.each(['heap', 'sim'] as const)('of %s needs a size', async (backend) => {
    const refused = expect.objectContaining({ code: 'PMEM_BAD_OPTION' });
    await expect(Region.open({ backend })).rejects.toEqual(refused);
  });

  test('takes the uuid from the randomness that it is given', async () => {
    const uuids = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const vfs = new SimVfs({ seed });
        const region = await Region.open({ backend: 'heap', bytesMax: BYTES, vfs });
        return Buffer.from(region.uuid).toString('hex');
      }),
    );
    expect(uuids[0]).toBe(uuids[1]);
    expect(uuids[0]).not.toBe(uuids[2]);
  });
});

describe('a full simulated disk', () => {
  test('refuses the allocation, and room makes it possible', () => {
    const { sim, region } = openSim({ bytesMax: BYTES, diskBytesMax: 16 * 1024 });
    expect(() => region.alloc(20_000)).toThrow(expect.objectContaining({ code: 'PMEM_EXHAUSTED' }));
    expect(region.verify().ok).toBe(true);
    sim.diskBytesMax = BYTES;
    expect(region.alloc(20_000)).toBeGreaterThan(0);
  });
});
