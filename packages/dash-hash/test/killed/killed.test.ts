/** kill -9 of a process that writes into a mapped table: it opens at once and repairs itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Region } from '@nendb/pmem';
import { describe, expect, it } from 'vitest';
import { isBuilt } from '../built.js';
import { killOne, REGION_BYTES, wrongAfter } from './killed.js';

const KILLS = 10;

/** Why files cannot be mapped here; `undefined` where they can. */
async function whyNoMaps(): Promise<string | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'nendb-dash-'));
  try {
    const path = join(dir, 'region');
    const region = await Region.open({ backend: 'mmap', path, bytesMax: REGION_BYTES });
    await region.close();
    return undefined;
  } catch (error) {
    return `${error}`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const reason = isBuilt ? await whyNoMaps() : 'the packages are not built';

describe.skipIf(reason !== undefined)(
  `kill -9 of a writing process (${reason ?? 'mapped'})`,
  () => {
    it(`loses nothing that was written, ${KILLS} times in a row`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'nendb-dash-'));
      const path = join(dir, 'region');
      try {
        let said = 0;
        for (let kill = 0; kill < KILLS; kill++) {
          said = await killOne(path, said + 1, 5 + ((kill * 37) % 100));
          expect(said).toBeGreaterThan(0);
          expect(await wrongAfter(path, said), `kill ${kill}`).toBeUndefined();
        }
      } finally {
        rmSync(dir, { recursive: true });
      }
    }, 120_000);
  },
);
