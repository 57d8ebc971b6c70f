/**
 * Frozen memtables become tables, oldest first.
 *
 *     log synced to n ─▶ tables of the memtable up to n ─▶ manifest ─▶ log cut behind n
 *
 * Invariants
 *  1. Flushes are installed in the order of their sequence numbers: everything up to `flushedSequence` is in
 *     tables, nothing above it is needed to read them.
 *  2. Nothing derived from sequence n is named before the log is synced to n (R3).
 */
import { JobRunner } from '../compaction/job-runner.js';
import { joinRanges } from '../compaction/older-keys.js';
import { LsmError } from '../errors.js';
import type { VersionEdit } from '../manifest/edit.js';
import type { TableMeta } from '../version/table-meta.js';
import { Background } from './background.js';
import type { Core } from './core.js';
import { jobOf, runJob } from './job-of.js';
import type { FrozenMemtable } from './memtables.js';

interface Waiter {
  sequence: number;
  resolve(): void;
  reject(error: Error): void;
}

export interface FlusherOwner {
  /** The shape of the tree has changed. */
  onInstalled(): void;
  /** Nothing will be flushed any more. */
  onDead(error: LsmError): void;
}

export class Flusher {
  readonly background: Background;
  readonly #core: Core;
  readonly #runner: JobRunner;
  readonly #owner: FlusherOwner;
  readonly #waiting: Waiter[] = [];

  constructor(core: Core, owner: FlusherOwner) {
    const { vfs, databaseUuid, limiter } = core;
    const { dir } = core.options;
    this.#core = core;
    this.#owner = owner;
    this.#runner = new JobRunner(vfs, { dir, databaseUuid }, limiter, () => core.syncNames());
    this.background = new Background(vfs.timers, {
      work: () => this.#flushOldest(),
      onFailure: (error, retryMs) => this.#failed(error, retryMs),
    });
  }

  /** Freezes the active memtable, unless it is empty. */
  freeze(): void {
    const { memtables, options } = this.#core;
    if (memtables.active.isEmpty) return;
    memtables.freeze(options.externalLog?.metadata?.());
    this.background.kick();
  }

  /** Resolves when everything that is committed by now is in tables; rejects when a flush fails. */
  async flush(): Promise<void> {
    this.freeze();
    const newest = this.#core.memtables.frozen.at(-1);
    if (newest === undefined) return;
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ sequence: newest.memtable.sequenceMax, resolve, reject });
    });
    this.background.kickNow();
    await done;
  }

  /** Ends what is under way. Rejects nobody but those who wait for a flush. */
  async close(closed: () => LsmError): Promise<void> {
    this.background.stop();
    this.#runner.cancel();
    await this.background.idle();
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
    await this.#runner.close();
  }

  async #flushOldest(): Promise<boolean> {
    const core = this.#core;
    const frozen = core.memtables.frozen[0];
    if (frozen === undefined) return false;
    const { sequenceMax } = frozen.memtable;
    await this.#syncLog(sequenceMax);
    const report = await this.#write(frozen);
    const edit: VersionEdit = {
      flushedSequence: sequenceMax,
      addTables: report.tables,
      addValueFiles: report.valueFiles,
      ...(frozen.metadata && { metadata: frozen.metadata }),
    };
    await core.versions.apply(edit, () => core.memtables.flushed());
    const bytes = report.writtenBytes;
    core.counters.flushes++;
    core.counters.flushedBytes += bytes;
    core.emit({
      type: 'flushed',
      sequence: sequenceMax,
      tables: report.tables.length,
      bytes,
      elapsedMs: report.elapsedMs,
    });
    this.#settle();
    this.#owner.onInstalled();
    core.options.externalLog?.onFlushed(sequenceMax);
    await core.log?.flushed(sequenceMax);
    return true;
  }

  async #syncLog(sequence: number): Promise<void> {
    const { log, options } = this.#core;
    await (log === undefined ? options.externalLog?.synced(sequence) : log.sync());
  }

  #write({ memtable }: FrozenMemtable) {
    const { versions, options } = this.#core;
    // Its place in level 0: above all runs that are there.
    const run = Math.max(0, ...versions.current.level0.map((each) => each.run)) + 1;
    const older: TableMeta[] = [...versions.current.tables.values()];
    const bytes = memtable.bytes + memtable.rangeTombstones.bytes;
    return runJob(
      this.#core,
      this.#runner,
      jobOf(this.#core, {
        inputs: [],
        memtable: memtable.share(),
        outputLevel: 0,
        outputRun: run,
        older: joinRanges(older),
        inputBytes: bytes,
        tableBytes: Math.max(options.tableBytes, options.memtableBytes * 2),
        rewriteValueFiles: [],
      }),
    );
  }

  #settle(): void {
    const { flushedSequence } = this.#core.versions;
    while (this.#waiting.length > 0 && this.#waiting[0].sequence <= flushedSequence) {
      this.#waiting.shift()?.resolve();
    }
  }

  #failed(error: Error, retryMs: number): void {
    const { counters } = this.#core;
    counters.backgroundErrors++;
    counters.lastError = error.message;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#core.emit({ type: 'backgroundError', job: 'flush', error, retryMs });
    if (retryMs > 0) return;
    const { dir } = this.#core.options;
    const dead = new LsmError(
      'LSM_POISONED',
      `memtables of the tree in ${dir} can no longer be flushed (${error.message}): nothing more is written; mend that and open the tree again`,
      { cause: error },
    );
    this.#owner.onDead(dead);
  }
}
