/**
 * The store in a mapped file (R17): opened as it was left where it can be trusted, so far as that can be
 * told without the log; made anew where it cannot.
 *
 *     open ─┬─▶ store        what it holds counts if the log says so, too (`recover-mapped.ts`)
 *           └─▶ refusal ─▶ replace ─▶ an empty store, to be built from snapshot and log
 *
 * A file that is no region is nobody's to replace: opening fails.
 */
import { PmemError, Region } from '@nendb/pmem';
import { readFully, type Vfs } from '@nendb/vfs';
import { DashStore } from './dash-store.js';
import { STORE_VERSION } from './format.js';
import { RegionMarks } from './region-marks.js';

/** What a region's file begins with (docs/formats/pmem.md). */
const REGION_MAGIC = 'NENDPMEM';

/** What is wrong with a region that is made anew, not with the machine or the options. */
const REPLACED = new Set(['PMEM_UNTRUSTED', 'PMEM_CORRUPT', 'PMEM_TOO_NEW', 'PMEM_BAD_OPTION']);

export interface MappedOptions {
  path: string;
  /** Size of the region. */
  bytesMax: number;
  vfs: Vfs;
  databaseUuid: Uint8Array;
}

export interface MappedStore {
  store: DashStore;
  marks: RegionMarks;
}

export class MappedRegion {
  readonly path: string;
  /** The store that was found; `undefined` where `refusal` says why not. */
  found: MappedStore | undefined;
  /** Whether it was closed, rather than left by a process that was killed. */
  wasClosed = false;
  refusal = '';
  readonly #options: MappedOptions;
  #region: Region | undefined;
  #marks: RegionMarks | undefined;

  /**
   * Opens the file, or makes it. Throws `ENGINE_CORRUPT` where it is something else,
   * `ENGINE_BAD_OPTION` where files cannot be mapped here, `ENGINE_LOCKED`.
   */
  static async open(options: MappedOptions): Promise<MappedRegion> {
    const mapped = new MappedRegion(options);
    await mapped.#open();
    return mapped;
  }

  private constructor(options: MappedOptions) {
    this.path = options.path;
    this.#options = options;
  }

  /** Gives what is there up, and makes an empty store in its place, which counts once `finish`ed. */
  async replace(): Promise<DashStore> {
    await this.close();
    this.found = undefined;
    const { path, bytesMax, vfs, databaseUuid } = this.#options;
    this.#region = await Region.open({ backend: 'mmap', path, bytesMax, vfs, create: 'replace' });
    this.#marks = new RegionMarks(this.#region.meta);
    this.#marks.build(databaseUuid);
    return new DashStore(this.#region);
  }

  /** The store that `replace` made holds the records up to `lsn`. */
  finish(epoch: number, lsn: number): void {
    this.#marks?.finish(epoch, lsn);
  }

  async close(): Promise<void> {
    await this.#region?.close();
    this.#region = undefined;
  }

  async #open(): Promise<void> {
    const { path, bytesMax, vfs } = this.#options;
    try {
      this.#region = await Region.open({ backend: 'mmap', path, bytesMax, vfs });
    } catch (error) {
      if (!(error instanceof PmemError && REPLACED.has(error.code))) throw error;
      if (!(await isRegion(vfs, path))) throw error;
      this.refusal = error.message;
      return;
    }
    this.wasClosed = this.#region.opening.how === 'clean';
    try {
      this.#take(this.#region);
    } catch (error) {
      this.refusal = `its tables are damaged: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Takes the region's store over, if its marks say that it is whole and ours. */
  #take(region: Region): void {
    const marks = new RegionMarks(region.meta);
    const { appliedLsn, applyingLsn, epoch, version } = marks;
    if (region.opening.how === 'created') {
      this.refusal = 'it is new';
    } else if (version !== STORE_VERSION) {
      this.refusal = `expected a store of version ${STORE_VERSION} in it, got version ${version}`;
    } else if (!marks.isOf(this.#options.databaseUuid)) {
      this.refusal = 'it is of another database';
    } else if (epoch === 0) {
      this.refusal = 'its building was cut off';
    } else if (!(appliedLsn <= applyingLsn && applyingLsn <= appliedLsn + 1)) {
      this.refusal = `its marks contradict each other: applied ${appliedLsn}, applying ${applyingLsn}`;
    } else {
      this.found = { store: new DashStore(region), marks };
    }
  }
}

async function isRegion(vfs: Vfs, path: string): Promise<boolean> {
  const file = await vfs.open(path, 'read');
  try {
    const magic = Buffer.alloc(REGION_MAGIC.length);
    await readFully(file, magic, 0);
    return magic.toString('latin1') === REGION_MAGIC;
  } finally {
    await file.close();
  }
}
