/** Makes cursors over a tree. */
import { readError } from '../io-error.js';
import { VisibleCursor } from '../merge/visible-cursor.js';
import { integer } from '../options.js';
import type { CursorOptions } from '../types.js';
import type { Core } from './core.js';
import { LsmCursor } from './cursor.js';
import { boundsOf } from './key-bounds.js';
import { ReadView } from './read-view.js';

/** See `Lsm.cursor`. */
export function openCursor(core: Core, options: CursorOptions): LsmCursor {
  const { snapshot, limit = Number.POSITIVE_INFINITY, reverse = false } = options;
  if (limit !== Number.POSITIVE_INFINITY) integer('limit', limit, 0, Number.MAX_SAFE_INTEGER);
  const bounds = boundsOf(options);
  const { sequence, timeMs } =
    snapshot === undefined
      ? { sequence: core.sequence, timeMs: core.clock.nowMs() }
      : core.snapshots.check(snapshot);
  const view = new ReadView(core, sequence, timeMs);
  try {
    const source = view.entries(options.fillCache ?? true);
    const visible = new VisibleCursor(source, view.tombstones(), sequence, timeMs);
    const { values } = core;
    return new LsmCursor({
      ...{ visible, values, bounds, reverse, limit },
      onClose: () => view.close(),
    });
  } catch (error) {
    view.close();
    throw readError(error);
  }
}
