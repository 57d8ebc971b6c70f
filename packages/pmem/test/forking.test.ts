import { spawnSync } from 'node:child_process';
import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { Region } from '../src/index.js';

describe('a process with large regions', () => {
  it('can start others, even where untouched regions together exceed the memory of the machine', async () => {
    const regions: Region[] = [];
    const bytesMax = 4 * 2 ** 30;
    for (let bytes = 0; bytes < totalmem() * 2; bytes += bytesMax)
      regions.push(Region.heap(bytesMax));
    const { error, status } = spawnSync(process.execPath, ['--version']);
    for (const region of regions) await region.close();
    expect({ error, status }).toEqual({ error: undefined, status: 0 });
  });
});
