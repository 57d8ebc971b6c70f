/**
 * A flush or compaction under way: reads sorted sources, keeps what is needed, writes tables and value files.
 *
 *     tables, memtable ─▶ merge ─▶ retention ─▶ values out of line ─▶ tables
 *
 * Invariants
 *  1. Inputs are only read. Outputs are new files, synced when the job is done; their names are the caller's
 *     to make durable.
 *  2. A value that moves in the value log keeps its key and its sequence number: only its pointer changes, and
 *     what shadowed it goes on shadowing it.
 *  3. Memory is bounded by a block or two of each source, and one value.
 *
 * Synchronous; runs in steps on the thread of a task, so that others get their turn between them.
 */
import type { DataKeys } from '@nendb/codec';
import { joinPath, type Vfs } from '@nendb/vfs';
import { BlockCache } from '../cache/block-cache.js';
import { type BudgetAccount, MemoryBudget } from '../cache/memory-budget.js';
import type { EntryCursor } from '../entry.js';
import { JOB_CACHE_BYTES } from '../limits.js';
import { tableFile, valueFile } from '../manifest/format.js';
import { Memtable } from '../memtable/memtable.js';
import { mergeCursors } from '../merge/merging-cursor.js';
import { RunCursor } from '../merge/run-cursor.js';
import { RangeTombstones } from '../range-tombstones.js';
import { TableBuilder, type TableSummary } from '../table/table-builder.js';
import { TableReader } from '../table/table-reader.js';
import { checkTable } from '../version/check-table.js';
import type { TableMeta } from '../version/table-meta.js';
import { type Job, type JobPlace, type JobResult, type JobStep, receivedKeys } from './job.js';
import { OlderKeys } from './older-keys.js';
import { type KeptRange, OutputTables } from './output-tables.js';
import { OutputValues } from './output-values.js';
import { Retention, Verdict } from './retention.js';

/** How many entries are merged before the step's budget is looked at. */
const ENTRIES_A_LOOK = 64;

export class RunningJob {
  readonly #vfs: Vfs;
  readonly #place: JobPlace;
  readonly #job: Job;
  readonly #keys: DataKeys | undefined;
  readonly #readers: TableReader[] = [];
  readonly #cache: BlockCache;
  readonly #tables: TableMeta[] = [];
  readonly #values: OutputValues;
  readonly #source: EntryCursor;
  readonly #retention: Retention;
  readonly #output: OutputTables;
  #files = 0;
  #writtenBytes = 0;

  /** Opens the inputs. Throws `LsmError` or the errno error; then nothing is left open. */
  constructor(vfs: Vfs, place: JobPlace, job: Job) {
    this.#vfs = vfs;
    this.#place = place;
    this.#job = job;
    this.#keys = job.keys && receivedKeys(job.keys);
    this.#cache = new BlockCache(new MemoryBudget(JOB_CACHE_BYTES));
    this.#values = new OutputValues({
      vfs,
      ...place,
      job,
      keys: this.#keys,
      nextFile: () => this.#nextFile(),
    });
    try {
      const tombstones = new RangeTombstones();
      this.#source = mergeCursors(this.#open(tombstones));
      const older = new OlderKeys(job.older);
      const { snapshots, nowMs } = job;
      this.#retention = new Retention({ snapshots, nowMs, tombstones, older });
      this.#output = this.#outputTables(this.#keptRanges(tombstones));
      this.#source.seekToFirst();
    } catch (error) {
      this.#closeInputs();
      throw error;
    }
  }

  /** Goes on until about so many bytes were read or written, or the job is done. */
  step(budgetBytes: number): JobStep {
    const source = this.#source;
    let readBytes = 0;
    while (source.valid) {
      for (let i = 0; i < ENTRIES_A_LOOK && source.valid; i++) {
        readBytes += source.keyTo - source.keyFrom + source.valueTo - source.valueFrom;
        const verdict = this.#retention.judge(source);
        if (verdict !== Verdict.drop) {
          const tombstone = verdict === Verdict.keepAsTombstone;
          readBytes += this.#emit(tombstone);
        }
        source.next();
      }
      const written = this.#output.writtenBytes + this.#values.writtenBytes - this.#writtenBytes;
      if (readBytes >= budgetBytes || written >= budgetBytes)
        return this.#progress(false, readBytes);
    }
    this.#output.finish();
    this.#values.finish();
    this.#closeInputs();
    return this.#progress(true, readBytes);
  }

  /** What was made, once `step` said that it is done. */
  result(): JobResult {
    return {
      tables: this.#tables,
      valueFiles: this.#values.files,
      writtenBytes: this.#writtenBytes,
    };
  }

  /** Gives up: closes everything and unlinks what was written. */
  abort(): void {
    this.#closeInputs();
    this.#output.abort();
    this.#values.abort();
    for (const { number } of this.#tables) this.#unlink(tableFile(number));
    for (const { number } of this.#values.files) this.#unlink(valueFile(number));
    this.#tables.length = 0;
  }

  #open(tombstones: RangeTombstones): EntryCursor[] {
    const { inputs, memtable: shared } = this.#job;
    const sources: EntryCursor[] = [];
    if (shared !== undefined) {
      const memtable = Memtable.attach(shared);
      addAll(tombstones, memtable.rangeTombstones);
      sources.push(memtable.cursor());
    }
    const account = this.#cache.budget.account('tables');
    for (const run of inputs) {
      const readers = new Map(run.map((table) => [table, this.#openTable(table, account)]));
      for (const reader of readers.values()) addAll(tombstones, reader.rangeTombstones);
      const open = {
        cursor: (table: TableMeta) => {
          const reader = readers.get(table);
          if (reader === undefined) throw new Error(`expected table ${table.number} to be open`);
          return reader.cursor({ fillCache: false });
        },
        release() {},
      };
      sources.push(new RunCursor(run, open));
    }
    return sources;
  }

  #openTable(table: TableMeta, account: BudgetAccount): TableReader {
    const { dir, databaseUuid } = this.#place;
    const keys = this.#keys;
    const file = this.#vfs.openSync(joinPath(dir, tableFile(table.number)), 'read');
    let reader: TableReader;
    try {
      const cache = this.#cache;
      reader = TableReader.open(file, { databaseUuid, cache, account, ...(keys && { keys }) });
    } catch (error) {
      file.closeSync();
      throw error;
    }
    this.#readers.push(reader);
    checkTable(reader, table);
    return reader;
  }

  #keptRanges(tombstones: RangeTombstones): KeptRange[] {
    const kept: KeptRange[] = [];
    for (const fragment of tombstones.fragments) {
      const sequences = this.#retention.sequencesKept(fragment);
      if (sequences.length > 0) kept.push({ gte: fragment.gte, lt: fragment.lt, sequences });
    }
    return kept;
  }

  #outputTables(ranges: KeptRange[]): OutputTables {
    const { databaseUuid, dir } = this.#place;
    const { createdMs, blockBytes, filterBitsPerKey, compression, tableBytes } = this.#job;
    const { syncStepBytes } = this.#job;
    const { outputLevel: level, outputRun: run } = this.#job;
    const keys = this.#keys;
    let number = 0;
    return new OutputTables({
      tableBytes,
      ranges,
      create: () => {
        number = this.#nextFile();
        return new TableBuilder(this.#vfs, joinPath(dir, tableFile(number)), {
          ...{ databaseUuid, createdMs, blockBytes, filterBitsPerKey, compression, syncStepBytes },
          ...(keys && { keys }),
        });
      },
      finished: (summary) => this.#tables.push(metaOf(summary, { number, level, run })),
    });
  }

  /** Writes the current entry; returns how much was read from the value log for it. */
  #emit(tombstone: boolean): number {
    const { isNewKey } = this.#retention;
    const entry = tombstone
      ? this.#values.tombstone(this.#source)
      : this.#values.place(this.#source);
    this.#output.add(entry, isNewKey);
    return this.#values.takeReadBytes();
  }

  #nextFile(): number {
    const { firstFile, filesMax } = this.#job;
    if (this.#files >= filesMax) {
      throw new RangeError(`expected a job of at most ${filesMax} files, got one more`);
    }
    return firstFile + this.#files++;
  }

  #progress(done: boolean, readBytes: number): JobStep {
    const written = this.#output.writtenBytes + this.#values.writtenBytes;
    const writtenBytes = written - this.#writtenBytes;
    this.#writtenBytes = written;
    return { done, readBytes, writtenBytes };
  }

  #closeInputs(): void {
    this.#source?.close();
    for (const reader of this.#readers.splice(0)) reader.closeSync();
    this.#values.closeInputs();
  }

  #unlink(name: string): void {
    this.#vfs.unlinkSync(joinPath(this.#place.dir, name));
  }
}

function addAll(target: RangeTombstones, source: RangeTombstones): void {
  for (const { gte, lt, sequence } of source.tombstones()) target.add(gte, lt, sequence);
}

function metaOf(
  summary: TableSummary,
  place: { number: number; level: number; run: number },
): TableMeta {
  return {
    ...place,
    fileBytes: summary.fileBytes,
    smallest: summary.smallest,
    largest: summary.largest,
    sequenceMin: summary.sequenceMin,
    sequenceMax: summary.sequenceMax,
    entries: summary.entries,
    tombstones: summary.tombstones,
    rangeTombstones: summary.rangeTombstones,
    expireMinMs: summary.expireMinMs,
    keyId: summary.keyId,
    createdMs: summary.createdMs,
    valueRefs: summary.valueRefs,
  };
}
