/** Checks the options of `Engine.open` and fills in the defaults. */
import { totalmem } from 'node:os';
import { COMPRESSIONS } from '@nendb/codec';
import { nodeVfs, type Vfs } from '@nendb/vfs';
import type { SyncPolicy } from '@nendb/wal';
import * as z from 'zod/mini';
import { EngineError } from './errors.js';
import {
  COMMIT_BYTES_LIMIT,
  COMMIT_BYTES_MAX,
  PENDING_BYTES_MAX,
  REGION_BYTES_DEFAULT_MAX,
  REGION_BYTES_LIMIT,
  REGION_BYTES_MIN,
  REGION_MEMORY_PART_MAX,
  SEGMENT_BYTES_LIMIT,
  SEGMENT_BYTES_MIN,
  SNAPSHOT_LOG_BYTES_MIN,
  SYNC_WINDOW_MS_LIMIT,
  VALUE_BYTES_MAX,
} from './limits.js';
import type { EngineOptions } from './types.js';

const bytes = z.int().check(z.positive());

const syncPolicy = z.union(
  [
    z.literal('always'),
    z.literal('os'),
    z.strictObject({ windowMs: z.int().check(z.positive(), z.lte(SYNC_WINDOW_MS_LIMIT)) }),
    z.strictObject({ every: z.int().check(z.positive()) }),
  ],
  "expected 'always', 'os', { windowMs } or { every }",
);

/** Bounds are checked by the tree itself. */
const lsmOptions = z.strictObject({
  memtableBytes: z.optional(bytes),
  cacheBytes: z.optional(bytes),
  compaction: z.optional(z.enum(['leveled', 'size-tiered', 'universal'])),
  compression: z.optional(z.enum(COMPRESSIONS)),
  valueLog: z.optional(z.strictObject({ thresholdBytes: bytes })),
  blockBytes: z.optional(bytes),
  tableBytes: z.optional(bytes),
  levelBaseBytes: z.optional(bytes),
  rateLimitBytesPerSec: z.optional(bytes),
});

function regionBytesDefault(): number {
  const part = Math.floor(totalmem() * REGION_MEMORY_PART_MAX);
  return Math.max(REGION_BYTES_MIN, Math.min(REGION_BYTES_DEFAULT_MAX, part));
}

const optionsSchema = z.strictObject({
  dir: z.string().check(z.minLength(1)),
  store: z.optional(z.string()),
  regionBytes: z._default(
    z.int().check(z.gte(REGION_BYTES_MIN), z.lte(REGION_BYTES_LIMIT)),
    regionBytesDefault,
  ),
  pmemPath: z.optional(z.string().check(z.minLength(1))),
  lsm: z.optional(lsmOptions),
  sync: z._default(syncPolicy, 'always'),
  vfs: z.optional(z.custom<Vfs>((value) => typeof value === 'object' && value !== null)),
  segmentBytesMax: z.optional(z.int().check(z.gte(SEGMENT_BYTES_MIN), z.lte(SEGMENT_BYTES_LIMIT))),
  preallocate: z.optional(z.boolean()),
  snapshotLogBytesMin: z._default(bytes, SNAPSHOT_LOG_BYTES_MIN),
  valueBytesMax: z._default(bytes, VALUE_BYTES_MAX),
  commitBytesMax: z._default(bytes.check(z.lte(COMMIT_BYTES_LIMIT)), COMMIT_BYTES_MAX),
  pendingBytesMax: z._default(bytes, PENDING_BYTES_MAX),
  activeExpiry: z._default(z.boolean(), true),
});

export interface EngineSettings extends z.infer<typeof optionsSchema> {
  sync: SyncPolicy;
  vfs: Vfs;
}

/** Throws `ENGINE_BAD_OPTION`, naming each option that is wrong. */
export function settingsOf(options: EngineOptions): EngineSettings {
  const parsed = optionsSchema.safeParse(options, { error: z.locales.en().localeError });
  if (!parsed.success) {
    throw new EngineError('ENGINE_BAD_OPTION', z.prettifyError(parsed.error), {
      cause: parsed.error,
    });
  }
  return { ...parsed.data, vfs: parsed.data.vfs ?? nodeVfs };
}
