/**
 * A tree that lives, and what it had promised at each moment: the states that a crash may leave.
 *
 * Every commit gives the next state. A crash at change `at` of the disk must leave one of the states from the last
 * that was acknowledged by then up to the last that was begun by then.
 */
import type { Lsm, LsmOptions } from '@nendb/lsm';
import type { SimVfs } from '@nendb/vfs/sim';
import { bytes, contents, openSim } from './sim-tree.js';

/** What a tree holds, as one string: cheap to compare. */
export type State = string;

export function stateOf(db: Lsm): State {
  return contents(db)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

/** Writes through a tree and remembers every state. */
export class Witness {
  /** State n is that after n commits. */
  readonly states: State[] = [''];
  /** When commit n was begun and when it was acknowledged, in changes of the disk. */
  readonly begunAt: number[] = [0];
  readonly doneAt: number[] = [0];
  readonly #map = new Map<string, string>();
  readonly #db: Lsm | undefined;

  /** `db`: none where it could not be opened. */
  constructor(
    readonly sim: SimVfs,
    db?: Lsm,
  ) {
    this.#db = db;
  }

  get db(): Lsm {
    if (this.#db === undefined) throw new Error('expected a tree, it could not be opened');
    return this.#db;
  }

  get commits(): number {
    return this.states.length - 1;
  }

  put(key: string, value: string): Promise<void> {
    this.#map.set(key, value);
    return this.#commit(() => this.db.put(bytes(key), bytes(value)));
  }

  delete(key: string): Promise<void> {
    this.#map.delete(key);
    return this.#commit(() => this.db.delete(bytes(key)));
  }

  deleteRange(gte: string, lt: string): Promise<void> {
    for (const key of [...this.#map.keys()]) if (key >= gte && key < lt) this.#map.delete(key);
    return this.#commit(() => this.db.deleteRange(bytes(gte), bytes(lt)));
  }

  /** Puts both keys or none. */
  putBoth(first: string, second: string, value: string): Promise<void> {
    this.#map.set(first, value).set(second, value);
    return this.#commit(() =>
      this.db.batch().put(bytes(first), bytes(value)).put(bytes(second), bytes(value)).write(),
    );
  }

  /** The states that a crash at change `at` may leave: from the last acknowledged to the last begun. */
  allowedAt(at: number): { from: number; to: number } {
    let from = 0;
    let to = 0;
    for (let n = 1; n < this.states.length; n++) {
      if ((this.doneAt[n] ?? Number.POSITIVE_INFINITY) <= at) from = n;
      if (this.begunAt[n] <= at) to = n;
    }
    return { from, to };
  }

  async #commit(write: () => Promise<void>): Promise<void> {
    const n = this.states.length;
    this.states.push(
      [...this.#map]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    );
    this.begunAt[n] = this.sim.changeCount;
    await write();
    this.doneAt[n] = this.sim.changeCount;
  }
}

/** What the trees of crash tests are: small blocks and tables, no filter, so that an image is quick to check. */
export const CRASHING: Partial<LsmOptions> = {
  memtableBytes: 1 << 20,
  tableBytes: 1024,
  blockBytes: 256,
  filterBitsPerKey: 0,
  cacheBytes: 64 * 1024,
};

export function openCrashing(vfs: SimVfs, options: Partial<LsmOptions> = {}): Promise<Lsm> {
  return openSim(vfs, { ...CRASHING, ...options });
}
