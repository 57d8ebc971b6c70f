/** The trees that are crashed, and what has to happen in their lives. */
import type { LsmOptions } from '@nendb/lsm';

const valueLog = { thresholdBytes: 60, fileBytes: 400 };
export const VARIANTS: [string, Partial<LsmOptions>, string[]][] = [
  ['leveled', { levelBaseBytes: 500 }, ['level-0-runs', 'level-size', 'tombstones']],
  ['leveled, its long values in the value log', { valueLog }, ['level-0-runs', 'value-garbage']],
  ['size-tiered', { compaction: 'size-tiered' }, ['size-tier']],
  [
    'universal, its long values in the value log',
    { compaction: 'universal', valueLog },
    ['space', 'value-garbage'],
  ],
  [
    'encrypted and compressed',
    { compression: 'deflate', encryption: { key: new Uint8Array(32).fill(3) }, valueLog },
    ['level-0-runs', 'value-garbage', 'key-rotation'],
  ],
];
