/**
 * The current version, the pinned ones before it, and the manifest that makes each change durable.
 *
 *     apply(edit)   manifest.append ─▶ new version ─▶ old one let go ─▶ files nobody needs removed
 *
 * Invariants
 *  1. Edits are applied one after the other; the current version is what the manifest says.
 *  2. An edit whose append failed is tried once more as part of a whole new manifest, which is safe: that
 *     is another file. If that fails too nothing is installed any more, for what is on disk is unknown.
 *  3. Value files that no table refers to any more go with the edit that took the last reference.
 *
 * Concurrency: one thread.
 */
import type { Vfs } from '@nendb/vfs';
import { corrupt, LsmError } from '../errors.js';
import { MANIFEST_GROWTH_BYTES_MAX } from '../limits.js';
import type { LogKind, VersionEdit } from '../manifest/edit.js';
import { MANIFEST_FILE } from '../manifest/format.js';
import { type ManifestOwner, ManifestWriter } from '../manifest/manifest-writer.js';
import { FilePins, type FileUsers } from './file-pins.js';
import type { TableMeta, ValueFileMeta } from './table-meta.js';
import { Version } from './version.js';

/** What a manifest says beside the files. */
export interface TreeState {
  nextFileNumber: number;
  flushedSequence: number;
  metadata: Uint8Array;
  logKind: LogKind;
  log: { base: number; started: boolean };
  tables: Map<number, TableMeta>;
  valueFiles: Map<number, ValueFileMeta>;
}

/** The state of a tree that holds nothing. */
export function emptyState(logKind: LogKind): TreeState {
  return {
    nextFileNumber: 1,
    flushedSequence: 0,
    metadata: new Uint8Array(0),
    logKind,
    log: { base: 0, started: false },
    tables: new Map(),
    valueFiles: new Map(),
  };
}

/** Changes `state` by `edit`. Throws `LSM_CORRUPT` for one that does not fit; `path` is the manifest's. */
export function advance(state: TreeState, edit: VersionEdit, path: string): void {
  state.nextFileNumber = edit.nextFileNumber ?? state.nextFileNumber;
  state.flushedSequence = edit.flushedSequence ?? state.flushedSequence;
  state.metadata = edit.metadata ?? state.metadata;
  state.logKind = edit.logKind ?? state.logKind;
  state.log = edit.log ?? state.log;
  for (const number of edit.removeTables ?? []) {
    if (!state.tables.delete(number))
      throw corrupt(path, 0, `an edit removes unknown table ${number}`);
  }
  for (const table of edit.addTables ?? []) {
    if (state.tables.has(table.number)) {
      throw corrupt(path, 0, `an edit adds table ${table.number} twice`);
    }
    state.tables.set(table.number, table);
  }
  for (const number of edit.removeValueFiles ?? []) {
    if (!state.valueFiles.delete(number)) {
      throw corrupt(path, 0, `an edit removes unknown value file ${number}`);
    }
  }
  for (const file of edit.addValueFiles ?? []) state.valueFiles.set(file.number, file);
}

/** One edit that says all of `state`. */
export function wholeState(state: TreeState): VersionEdit {
  return {
    nextFileNumber: state.nextFileNumber,
    flushedSequence: state.flushedSequence,
    metadata: state.metadata,
    logKind: state.logKind,
    log: state.log,
    addTables: [...state.tables.values()],
    addValueFiles: [...state.valueFiles.values()],
  };
}

export interface VersionSetOptions extends ManifestOwner {
  vfs: Vfs;
  users: FileUsers;
  growthBytesMax: number | undefined;
  /** Told once, when nothing can be installed any more. */
  onFailure(error: LsmError): void;
}

export class VersionSet {
  readonly pins: FilePins;
  readonly #options: VersionSetOptions;
  readonly #state: TreeState;
  /** Who uses a version: its readers, and the set itself the current one. Files are held once a version. */
  readonly #users = new Map<Version, number>();
  #current: Version;
  #manifest: ManifestWriter | undefined;
  #wholeBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #failure: LsmError | undefined;
  rotations = 0;

  constructor(options: VersionSetOptions, state: TreeState) {
    this.#options = options;
    this.#state = state;
    this.pins = new FilePins(options.vfs, options.dir, options.users);
    this.#current = new Version(new Map(state.tables), new Map(state.valueFiles));
    this.#begin(this.#current);
  }

  get current(): Version {
    return this.#current;
  }

  get flushedSequence(): number {
    return this.#state.flushedSequence;
  }

  get metadata(): Uint8Array {
    return this.#state.metadata;
  }

  /** Why nothing is installed any more. */
  get failure(): LsmError | undefined {
    return this.#failure;
  }

  /** Installs nothing any more: what would be on disk is unknown. */
  fail(error: LsmError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.onFailure(error);
  }

  /** Versions that somebody reads, the current one not counted. */
  get pinnedVersions(): number {
    return this.#users.size - 1;
  }

  /** Numbers for `count` new files; returns the first. */
  reserveFiles(count: number): number {
    const first = this.#state.nextFileNumber;
    this.#state.nextFileNumber += count;
    return first;
  }

  /** Takes numbers from `from` up to `to` back, where they were the last ones reserved: names stay short. */
  giveBackFiles(from: number, to: number): void {
    if (this.#state.nextFileNumber === to) this.#state.nextFileNumber = from;
  }

  /** The state as it is now, for a copy of the tree. */
  describe(): TreeState {
    const { tables, valueFiles } = this.#state;
    return { ...this.#state, tables: new Map(tables), valueFiles: new Map(valueFiles) };
  }

  /** Keeps every file of the current version until it is let go with `unpin`. */
  pin(): Version {
    const version = this.#current;
    this.#users.set(version, (this.#users.get(version) ?? 0) + 1);
    return version;
  }

  unpin(version: Version): void {
    const users = (this.#users.get(version) ?? 1) - 1;
    if (users > 0) {
      this.#users.set(version, users);
      return;
    }
    this.#users.delete(version);
    this.pins.release(version);
  }

  /** `number` is taken, by whatever file. */
  skipFile(number: number): void {
    this.#state.nextFileNumber = Math.max(this.#state.nextFileNumber, number + 1);
  }

  /** Writes the first manifest of this opening: from now on the log must be there. */
  begin(): Promise<void> {
    this.#state.log = { ...this.#state.log, started: this.#state.logKind === 'own' };
    return this.rotate();
  }

  /** Writes the state to a new manifest. */
  rotate(): Promise<void> {
    return this.#queue(() => this.#rotate());
  }

  /**
   * Makes `edit` durable, then current, and calls `installed` in that moment. Rejects with the error of the
   * disk where it is not; then nothing has changed, but where `failure` is set.
   */
  apply(edit: VersionEdit, installed?: () => void): Promise<void> {
    return this.#queue(() => this.#apply(edit, installed));
  }

  /** Waits for the edits under way and ends the manifest. */
  async close(): Promise<void> {
    await this.#last;
    try {
      await (this.#failure === undefined ? this.#manifest?.close() : this.#manifest?.abandon());
    } finally {
      this.#manifest = undefined;
    }
  }

  /** Runs `work` after what was queued before it. */
  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #apply(given: VersionEdit, installed: (() => void) | undefined): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const next = this.#copy();
    advance(next, given, MANIFEST_FILE);
    const unused = unusedValueFiles(next);
    const edit: VersionEdit = {
      ...given,
      nextFileNumber: this.#state.nextFileNumber,
      removeValueFiles: [...(given.removeValueFiles ?? []), ...unused],
    };
    for (const number of unused) next.valueFiles.delete(number);
    await this.#persist(edit, next);
    // Numbers may have been reserved meanwhile.
    const { nextFileNumber } = this.#state;
    Object.assign(this.#state, next, { nextFileNumber });
    this.#install();
    installed?.();
  }

  async #persist(edit: VersionEdit, next: TreeState): Promise<void> {
    const growthMax = this.#options.growthBytesMax ?? MANIFEST_GROWTH_BYTES_MAX;
    const manifest = this.#manifest;
    if (manifest !== undefined && manifest.bytes - this.#wholeBytes <= growthMax) {
      try {
        await manifest.append(edit);
        return;
      } catch {
        // Whether that edit is on disk is unknown: a new manifest says it again, with all the rest.
      }
    }
    await this.#writeWhole(next);
  }

  async #rotate(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#writeWhole(this.#state);
  }

  async #writeWhole(state: TreeState): Promise<void> {
    const { vfs, dir, databaseUuid, keys } = this.#options;
    const old = this.#manifest;
    this.#manifest = undefined;
    await old?.abandon().catch(() => undefined);
    try {
      this.#manifest = await ManifestWriter.create(
        { vfs, dir, databaseUuid, keys },
        wholeState(state),
      );
    } catch (cause) {
      const error = new LsmError(
        'LSM_POISONED',
        `cannot write ${dir}/${MANIFEST_FILE} (${cause instanceof Error ? cause.message : String(cause)}): what is on disk is good, and nothing more is written; mend the disk and open the tree again`,
        { file: `${dir}/${MANIFEST_FILE}`, cause },
      );
      this.fail(error);
      throw error;
    }
    this.#wholeBytes = this.#manifest.bytes;
    this.rotations++;
  }

  #copy(): TreeState {
    const { tables, valueFiles } = this.#state;
    return { ...this.#state, tables: new Map(tables), valueFiles: new Map(valueFiles) };
  }

  #install(): void {
    const { tables, valueFiles } = this.#state;
    const old = this.#current;
    this.#current = new Version(new Map(tables), new Map(valueFiles));
    this.#begin(this.#current);
    this.unpin(old);
  }

  #begin(version: Version): void {
    this.#users.set(version, 1);
    this.pins.hold(version);
  }
}

/** Value files that nothing refers to. */
function unusedValueFiles({ tables, valueFiles }: TreeState): number[] {
  if (valueFiles.size === 0) return [];
  const used = new Set<number>();
  for (const { valueRefs } of tables.values()) for (const { file } of valueRefs) used.add(file);
  return [...valueFiles.keys()].filter((number) => !used.has(number));
}
