/**
 * Opens a tree.
 *
 *     lock ─▶ keys ─▶ manifest ─▶ are its files there? ─▶ log: replay ─▶ leftovers go ─▶ new manifest
 *
 * Invariants
 *  1. Damage is found before anything is changed: a directory that is refused stays as it was.
 *  2. Every opening writes a new manifest: nothing is ever appended to one that was opened before, so a torn tail
 *     is not written over and no nonce is used twice.
 *  3. Files that the manifest does not name are leftovers of jobs that never counted; they go only when everything
 *     that it does name was found.
 */
import { sameUuid } from '@nendb/codec';
import {
  joinPath,
  makeDirectory,
  REPLACE_SUFFIX,
  type Vfs,
  type VfsLock,
  VfsLockedError,
} from '@nendb/vfs';
import { corrupt, LsmError } from '../errors.js';
import { ioError } from '../io-error.js';
import type { Batch } from '../log/batch.js';
import { OwnLog } from '../log/own-log.js';
import type { LogKind } from '../manifest/edit.js';
import {
  KEYRING_FILE,
  LOCK_FILE,
  MANIFEST_FILE,
  parseFile,
  tableFile,
  valueFile,
} from '../manifest/format.js';
import { type ManifestContents, readManifest } from '../manifest/manifest-reader.js';
import type { CheckedOptions } from '../options.js';
import { advance, emptyState, type TreeState } from '../version/version-set.js';
import { Core } from './core.js';
import { DatabaseClock } from './database-clock.js';
import { createKeyring, readKeyring } from './keys.js';

/** What the log tells while and after it is opened. */
export interface LogListener {
  onDurable(sequence: number): void;
  onFailure(error: LsmError): void;
}

/** Opens the tree in `options.dir`, or begins one. Throws `LsmError`; then nothing is held. */
export async function openCore(options: CheckedOptions, listener: LogListener): Promise<Core> {
  const { vfs, dir } = options;
  const undo: (() => Promise<unknown>)[] = [];
  try {
    if (options.mustExist && (await vfs.stat(dir)) === undefined) throw missing(dir);
    await makeDirectory(vfs, dir);
    const lock = options.lock ? await takeLock(vfs, dir) : undefined;
    if (lock !== undefined) undo.push(() => lock.release());
    const core = await openLocked(options, listener, lock, undo);
    return core;
  } catch (error) {
    // The first error is the one worth reporting.
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw ioError(error, `opening the tree in ${dir}`, 'nothing is lost, open it again');
  }
}

async function openLocked(
  options: CheckedOptions,
  listener: LogListener,
  lock: VfsLock | undefined,
  undo: (() => Promise<unknown>)[],
): Promise<Core> {
  const { vfs, dir, encryption } = options;
  const clock = new DatabaseClock(options.clockMs ?? (() => vfs.clock.wallMs()));
  const names = await vfs.readdir(dir);
  let keyring = await readKeyring(vfs, dir, encryption);
  if (encryption !== undefined && keyring === undefined && names.includes(MANIFEST_FILE)) {
    throw await withoutKeyring(vfs, dir);
  }
  const manifest = await readManifest(vfs, dir, keyring);
  const logKind: LogKind = options.externalLog === undefined ? 'own' : 'external';
  const state = stateOf(dir, manifest, logKind);
  for (const { createdMs } of state.tables.values()) clock.seed(createdMs);
  checkFiles(dir, names, state, manifest);
  if (manifest === undefined && options.mustExist) throw missing(dir);
  if (manifest !== undefined) checkUuid(options, manifest.databaseUuid);

  let databaseUuid = manifest?.databaseUuid ?? options.databaseUuid ?? ringUuid(keyring);
  if (encryption !== undefined && keyring === undefined) {
    databaseUuid ??= vfs.random.uuid();
    keyring = await createKeyring(vfs, dir, encryption, databaseUuid, clock.nowMs());
  }
  let core: Core | undefined;
  const make = (uuid: Uint8Array): Core => {
    core = new Core({ options, databaseUuid: uuid, keyring, clock, lock }, state);
    return core;
  };
  if (databaseUuid !== undefined) make(databaseUuid);
  if (logKind === 'own') {
    const log = await OwnLog.open({
      ...{ vfs, dir, databaseUuid, encryption: keyring && { keyring } },
      sync: options.sync,
      databaseTimeMs: () => clock.nowMs(),
      segmentBytesMax: options.logSegmentBytes,
      preallocateBytes: options.logPreallocateBytes,
      base: state.log.base,
      mustExist: state.log.started,
      flushedSequence: state.flushedSequence,
      onReplay(sequence, batch) {
        if (manifest === undefined || core === undefined) throw withoutManifest(dir);
        replay(core, sequence, batch);
      },
      ...listener,
    });
    undo.push(() => log.close());
    clock.seed(log.recoveredTimeMs);
    core ??= make(log.databaseUuid);
    core.log = log;
  }
  core ??= make(vfs.random.uuid());
  const opened = core;
  undo.push(() => opened.versions.close());
  await removeLeftovers(opened, names, state);
  await opened.versions.begin();
  return opened;
}

/** Applies a record of the log again. */
function replay(core: Core, sequence: number, batch: Batch): void {
  if (core.memtables.isFull) core.memtables.freeze(undefined);
  batch.apply(core.memtables.at(sequence));
  core.sequence = sequence;
  core.oracle.advance(sequence);
}

function stateOf(dir: string, manifest: ManifestContents | undefined, logKind: LogKind): TreeState {
  const state = emptyState(logKind);
  if (manifest === undefined) return state;
  const path = joinPath(dir, MANIFEST_FILE);
  for (const edit of manifest.edits) advance(state, edit, path);
  if (state.logKind === logKind) return state;
  throw new LsmError(
    'LSM_WRONG_LOG',
    `expected a tree with ${logKind === 'own' ? 'its own' : 'an external'} log in ${dir}, got one with ${logKind === 'own' ? 'an external' : 'its own'} log: open it as it was made`,
    { file: dir },
  );
}

/** Throws `LSM_CORRUPT` unless every file that the manifest names is there, and it is itself. */
function checkFiles(
  dir: string,
  names: readonly string[],
  state: TreeState,
  manifest: ManifestContents | undefined,
): void {
  const found = new Set(names);
  if (manifest === undefined) {
    const table = names.find((name) => parseFile(name) !== undefined);
    if (table !== undefined) throw withoutManifest(dir);
  }
  for (const number of state.tables.keys()) requireFile(dir, found, tableFile(number));
  for (const { valueRefs, number } of state.tables.values()) {
    for (const { file } of valueRefs) {
      if (state.valueFiles.has(file)) continue;
      throw corrupt(
        joinPath(dir, MANIFEST_FILE),
        0,
        `table ${number} refers to value file ${file}, which no edit added`,
      );
    }
  }
  for (const number of state.valueFiles.keys()) requireFile(dir, found, valueFile(number));
}

function requireFile(dir: string, found: ReadonlySet<string>, name: string): void {
  if (!found.has(name))
    throw corrupt(joinPath(dir, name), 0, 'the manifest names it, and it is missing');
}

function checkUuid({ dir, databaseUuid }: CheckedOptions, found: Uint8Array): void {
  if (databaseUuid === undefined || sameUuid(databaseUuid, found)) return;
  throw new LsmError(
    'LSM_FOREIGN',
    `expected the tree of another database in ${dir} than the one that is there: use the right directory`,
    { file: dir },
  );
}

function ringUuid(keyring: { databaseUuid: Uint8Array } | undefined): Uint8Array | undefined {
  return keyring?.databaseUuid.some((byte) => byte !== 0) ? keyring.databaseUuid : undefined;
}

async function takeLock(vfs: Vfs, dir: string): Promise<VfsLock> {
  try {
    return await vfs.lock(joinPath(dir, LOCK_FILE));
  } catch (error) {
    if (!(error instanceof VfsLockedError)) throw error;
    throw new LsmError('LSM_LOCKED', error.message, { file: error.path, cause: error });
  }
}

/** Removes what the manifest does not name, and sees to it that no number is given twice. */
async function removeLeftovers(
  core: Core,
  names: readonly string[],
  state: TreeState,
): Promise<void> {
  for (const name of names) {
    const file = parseFile(name);
    if (file === undefined) {
      if (name.endsWith(REPLACE_SUFFIX)) core.versions.pins.remove(name);
      continue;
    }
    core.versions.skipFile(file.number);
    const known = file.kind === 'table' ? state.tables : state.valueFiles;
    if (!known.has(file.number)) core.versions.pins.remove(name);
  }
  await core.versions.pins.settled();
}

function missing(dir: string): LsmError {
  return new LsmError(
    'LSM_MISSING',
    `expected a tree in ${dir}, there is none: name its directory, or open without mustExist to begin one`,
    { file: dir },
  );
}

/** Why a tree has no keyring where a key was given: it is in the clear, or the ring is lost. */
async function withoutKeyring(vfs: Vfs, dir: string): Promise<LsmError> {
  try {
    await readManifest(vfs, dir, undefined);
  } catch (error) {
    if (!(error instanceof LsmError && error.code === 'LSM_WRONG_KEY')) throw error;
    return corrupt(joinPath(dir, KEYRING_FILE), 0, 'it is missing, and the tree is encrypted');
  }
  return new LsmError(
    'LSM_WRONG_KEY',
    `expected the tree in ${dir} to be encrypted, for a key was given, got one in the clear: leave the key out`,
    { file: dir },
  );
}

function withoutManifest(dir: string): LsmError {
  return corrupt(
    joinPath(dir, MANIFEST_FILE),
    0,
    'it is missing, and there are tables or a log that it should name',
  );
}
