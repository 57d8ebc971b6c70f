/** What Level asks of iterators and of `clear`, and what that is for a cursor of the tree. */
import type { AbstractSnapshot } from 'abstract-level';
import type { CursorOptions } from '../types.js';
import { type LevelData, type LevelFormat, toBytes } from './format.js';
import { viewOf } from './snapshot.js';

/** The options of `_clear`: bounds in one of the forms; `limit` -1 for none. */
export interface LevelRange {
  gt?: LevelData;
  gte?: LevelData;
  lt?: LevelData;
  lte?: LevelData;
  reverse: boolean;
  limit: number;
  snapshot?: AbstractSnapshot | null;
}

/** The options of `_iterator`, `_keys` and `_values`. */
export interface LevelWalk extends LevelRange {
  keys: boolean;
  values: boolean;
  keyEncoding: LevelFormat;
  valueEncoding: LevelFormat;
  fillCache?: boolean;
  signal?: AbortSignal | null;
}

/**
 * The same range for a cursor, without the limit, which Level counts by itself. Where two bounds are given on a side,
 * the inclusive one counts, as in all databases of Level. Throws `LEVEL_SNAPSHOT_NOT_OPEN`, `LEVEL_INVALID_SNAPSHOT`.
 */
export function cursorOptions(range: LevelRange): CursorOptions {
  const { gt, gte, lt, lte, reverse } = range;
  const options: CursorOptions = { reverse };
  if (gte !== undefined) options.gte = toBytes(gte);
  else if (gt !== undefined) options.gt = toBytes(gt);
  if (lte !== undefined) options.lte = toBytes(lte);
  else if (lt !== undefined) options.lt = toBytes(lt);
  const view = viewOf(range.snapshot);
  if (view !== undefined) options.snapshot = view;
  return options;
}
