/** The trees that are crashed, and what has to happen in their lives. */
import type { LsmOptions } from '@nendb/lsm';

const valueLog = { thresholdBytes: 60, fileBytes: 400 };
/** A name, options, what has to happen, and how many images `npm test` looks at: 50,000 together. */
export const VARIANTS: [string, Partial<LsmOptions>, string[], number][] = [
  ['leveled', { levelBaseBytes: 500 }, ['level-0-runs', 'level-size', 'tombstones'], 12_000],
  [
    'leveled, its long values in the value log',
    { valueLog },
    ['level-0-runs', 'value-garbage'],
    12_000,
  ],
  ['size-tiered', { compaction: 'size-tiered' }, ['size-tier'], 10_000],
  [
    'universal, its long values in the value log',
    { compaction: 'universal', valueLog },
    ['space', 'value-garbage'],
    10_000,
  ],
  [
    'encrypted and compressed',
    { compression: 'deflate', encryption: { key: new Uint8Array(32).fill(3) }, valueLog },
    ['level-0-runs', 'value-garbage', 'key-rotation'],
    6000,
  ],
];
