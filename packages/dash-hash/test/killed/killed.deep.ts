/** The same for as long as there is time, up to 200 kills. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isBuilt } from '../built.js';
import { killOne, wrongAfter } from './killed.js';

const KILLS_GOAL = 200;
const seconds = Number(process.env.NENDB_DEEP_SECONDS ?? 60);

it.skipIf(!isBuilt)('kill -9 of a writing process loses nothing that was written', async () => {
  const untilMs = performance.now() + seconds * 1000;
  const dir = mkdtempSync(join(tmpdir(), 'nendb-dash-'));
  const path = join(dir, 'region');
  try {
    let kills = 0;
    for (let said = 0; kills < KILLS_GOAL && performance.now() < untilMs; kills++) {
      said = await killOne(path, said + 1, (kills * 13) % 150);
      expect(await wrongAfter(path, said), `kill ${kills}`).toBeUndefined();
    }
    console.log(`${kills} of ${KILLS_GOAL} kills`);
    expect(kills).toBeGreaterThan(0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
