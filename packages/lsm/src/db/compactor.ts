/**
 * Keeps the tree in shape: picks a compaction, has it done, installs its result.
 *
 * Priority: what somebody asked for, the strategy's pick, housekeeping. One at a time; flushes go on meanwhile.
 *
 * Invariants
 *  1. Inputs are those of the version at the pick; only compactions take tables away, so they are still there
 *     when the result is installed.
 *  2. Inputs go when the edit that replaces them is durable and nobody has them pinned.
 */

import { olderTables, pickHousekeeping } from '../compaction/housekeeping.js';
import type { Job } from '../compaction/job.js';
import { type JobReport, JobRunner } from '../compaction/job-runner.js';
import { levelTargets } from '../compaction/leveled.js';
import { joinRanges } from '../compaction/older-keys.js';
import { movedTable, pickManual, strategyOf } from '../compaction/pick.js';
import {
  type Compaction,
  type Strategy,
  type StrategyOptions,
  totalBytes,
} from '../compaction/strategy.js';
import type { LsmError } from '../errors.js';
import { LEVEL_FACTOR } from '../limits.js';
import { Background } from './background.js';
import type { Core } from './core.js';
import { jobOf, runJob } from './job-of.js';

/** A compaction that somebody waits for. */
interface Request {
  range: { smallest: Uint8Array; largest: Uint8Array } | undefined;
  resolve(): void;
  reject(error: Error): void;
}

export class Compactor {
  readonly background: Background;
  readonly strategy: Strategy;
  readonly #core: Core;
  readonly #runner: JobRunner;
  readonly #requests: Request[] = [];
  readonly #strategyOptions: StrategyOptions;
  /** Whether old keys are to go: only while somebody waits for that. */
  #rotating = false;

  constructor(core: Core) {
    const { vfs, databaseUuid, limiter, options } = core;
    this.#core = core;
    this.#runner = new JobRunner(vfs, { dir: options.dir, databaseUuid }, limiter, () =>
      core.syncNames(),
    );
    this.#strategyOptions = {
      level0RunsCompact: options.level0RunsCompact,
      levelBaseBytes: options.levelBaseBytes,
      levelFactor: LEVEL_FACTOR,
    };
    this.strategy = strategyOf(options.compaction, this.#strategyOptions);
    this.background = new Background(vfs.timers, {
      work: () => this.#compactOnce(),
      onFailure: (error, retryMs) => this.#failed(error, retryMs),
    });
  }

  /** The tree may be out of shape. */
  kick(): void {
    this.background.kick();
  }

  /** Resolves when everything in `range` (`undefined`: everything) is merged into the oldest run. */
  async compact(range: Request['range']): Promise<void> {
    const { finalError } = this.background;
    if (finalError !== undefined) throw finalError;
    const done = new Promise<void>((resolve, reject) => {
      this.#requests.push({ range, resolve, reject });
    });
    this.background.kickNow();
    await done;
  }

  /** Writes every file anew that is not sealed with the active key. */
  async rewriteOldKeys(): Promise<void> {
    this.#rotating = true;
    try {
      while (this.#pickOldKey() !== undefined) {
        this.background.kickNow();
        await this.background.idle();
        const { lastError } = this.background;
        if (lastError !== undefined) throw lastError;
      }
    } finally {
      this.#rotating = false;
    }
  }

  /** Resolves when there is nothing to do; rejects with why the last job failed. */
  async settle(): Promise<void> {
    this.kick();
    await this.background.idle();
    if (this.background.lastError !== undefined) throw this.background.lastError;
  }

  async close(closed: () => LsmError): Promise<void> {
    this.background.stop();
    this.#runner.cancel();
    await this.background.idle();
    for (const { reject } of this.#requests.splice(0)) reject(closed());
    await this.#runner.close();
  }

  async #compactOnce(): Promise<boolean> {
    const request = this.#requests[0];
    if (request !== undefined) {
      const compaction = this.#pickManual(request.range);
      if (compaction !== undefined) await this.#run(compaction);
      this.#requests.shift();
      request.resolve();
      return true;
    }
    const compaction = this.#pick();
    if (compaction === undefined) return false;
    await this.#run(compaction);
    return true;
  }

  #pick(): Compaction | undefined {
    const { versions, options } = this.#core;
    if (!options.autoCompact) return this.#rotating ? this.#pickOldKey() : undefined;
    return (
      this.strategy.pick(versions.current) ??
      pickHousekeeping(versions.current, this.#facts(this.#rotating))
    );
  }

  #pickOldKey(): Compaction | undefined {
    const { versions } = this.#core;
    const facts = this.#facts(true);
    return pickHousekeeping(versions.current, { ...facts, nowMs: 0, oldestSnapshot: -1 });
  }

  #facts(rotating: boolean) {
    const { clock, snapshots, keys } = this.#core;
    return {
      nowMs: clock.nowMs(),
      oldestSnapshot: snapshots.oldestSequence(),
      activeKeyId: rotating ? (keys?.active.id ?? -1) : undefined,
    };
  }

  #pickManual(range: Request['range']): Compaction | undefined {
    const { current } = this.#core.versions;
    const { base } = levelTargets(current, this.#strategyOptions);
    return pickManual(current, this.strategy.name, base, range);
  }

  async #run(compaction: Compaction): Promise<void> {
    const { versions, counters } = this.#core;
    const moved = movedTable(compaction);
    if (moved !== undefined) {
      const { outputLevel, outputRun } = compaction;
      const table = { ...moved, level: outputLevel, run: outputRun };
      await versions.apply({ removeTables: [moved.number], addTables: [table] });
      counters.movedTables++;
      this.#core.emit({
        type: 'moved',
        table: moved.number,
        fromLevel: moved.level,
        toLevel: outputLevel,
      });
      return;
    }
    const inputs = compaction.inputs.flat();
    const report = await runJob(this.#core, this.#runner, this.#job(compaction));
    await versions.apply({
      removeTables: inputs.map(({ number }) => number),
      addTables: report.tables,
      addValueFiles: report.valueFiles,
    });
    this.#count(compaction, report, inputs.length);
  }

  #job(compaction: Compaction): Job {
    const { inputs, outputLevel, outputRun, rewriteValueFiles } = compaction;
    const { versions, options } = this.#core;
    return jobOf(this.#core, {
      ...{ inputs, outputLevel, outputRun, rewriteValueFiles },
      memtable: undefined,
      older: joinRanges(olderTables(versions.current, inputs)),
      inputBytes: totalBytes(inputs.flat()),
      tableBytes: options.tableBytes,
    });
  }

  #count({ reason, outputLevel }: Compaction, report: JobReport, inputTables: number): void {
    const { counters } = this.#core;
    counters.compactions++;
    counters.compactionReadBytes += report.readBytes;
    counters.compactionWrittenBytes += report.writtenBytes;
    this.#core.emit({
      type: 'compacted',
      reason,
      inputTables,
      outputTables: report.tables.length,
      outputLevel,
      readBytes: report.readBytes,
      writtenBytes: report.writtenBytes,
      elapsedMs: report.elapsedMs,
    });
  }

  #failed(error: Error, retryMs: number): void {
    const { counters } = this.#core;
    counters.backgroundErrors++;
    counters.lastError = error.message;
    for (const { reject } of this.#requests.splice(0)) reject(error);
    this.#core.emit({ type: 'backgroundError', job: 'compaction', error, retryMs });
  }
}
