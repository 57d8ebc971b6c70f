/**
 * What a reader works on: the memtables and the version of one moment, pinned, and the moment itself.
 *
 *     newest   active memtable │ frozen ... │ level 0, newest first │ level 1 ... 6   oldest
 *
 * Invariant: nothing in it changes while it is held but the active memtable, whose newer entries have higher
 * sequence numbers than the view.
 */

import type { EntryCursor } from '../entry.js';
import type { Memtable } from '../memtable/memtable.js';
import { mergeCursors } from '../merge/merging-cursor.js';
import { RunCursor } from '../merge/run-cursor.js';
import type { Covering } from '../merge/visible-cursor.js';
import type { RangeTombstones } from '../range-tombstones.js';
import type { TableMeta } from '../version/table-meta.js';
import type { Version } from '../version/version.js';
import type { VersionSet } from '../version/version-set.js';
import type { Memtables } from './memtables.js';
import type { TableCache } from './table-cache.js';

export interface ViewSources {
  memtables: Memtables;
  versions: VersionSet;
  tables: TableCache;
}

export class ReadView {
  readonly #sources: ViewSources;
  readonly #memtables: readonly Memtable[];
  readonly #version: Version;
  #open = true;

  /** Pins the files. `close` lets them go. */
  constructor(
    sources: ViewSources,
    readonly sequence: number,
    readonly timeMs: number,
  ) {
    this.#sources = sources;
    this.#memtables = sources.memtables.all;
    this.#version = sources.versions.pin();
  }

  /** A cursor over every version of every key. */
  entries(fillCache: boolean): EntryCursor {
    const cursors: EntryCursor[] = [];
    for (const memtable of this.#memtables) {
      // What an empty one gets later is newer than the view.
      if (memtable.count > 0) cursors.push(memtable.cursor());
    }
    const { tables: cache } = this.#sources;
    const open = {
      cursor: (table: TableMeta) => cache.hold(table).cursor({ fillCache }),
      release: ({ number }: TableMeta) => cache.release(number),
    };
    for (const { tables } of this.#version.runs) cursors.push(new RunCursor(tables, open));
    return mergeCursors(cursors);
  }

  /** The range tombstones of all sources; `undefined` where there are none. */
  tombstones(): Covering | undefined {
    const sets: RangeTombstones[] = [];
    for (const { rangeTombstones } of this.#memtables) {
      if (!rangeTombstones.isEmpty) sets.push(rangeTombstones);
    }
    for (const table of this.#version.withRangeTombstones) {
      sets.push(this.#sources.tables.get(table).rangeTombstones);
    }
    if (sets.length === 0) return undefined;
    return {
      covering(key, from, to, sequenceMax) {
        let highest = 0;
        for (const set of sets) {
          highest = Math.max(highest, set.covering(key, from, to, sequenceMax));
        }
        return highest;
      },
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sources.versions.unpin(this.#version);
  }
}
