/**
 * When keys were last used, about: what OBJECT IDLETIME answers.
 *
 * Hot: one hash of a few bytes and one store per look-up. Keys share 2^16 places by their hash, so
 * that a key may seem used when another one was, never the other way round; no key costs memory. A
 * place that was never used counts from the start. Databases are told apart by their numbers: SWAPDB
 * exchanges the keys and leaves the times.
 */
const PLACES = 1 << 16;
/** Of a long key so many bytes at its end are hashed: names differ there. */
const HASHED_BYTES_MAX = 24;

export class AccessTimes {
  /** In ms of database time. */
  readonly #usedAtMs = new Float64Array(PLACES);

  constructor(startedAtMs: number) {
    this.#usedAtMs.fill(startedAtMs);
  }

  use(database: number, key: Uint8Array, from: number, to: number, nowMs: number): void {
    this.#usedAtMs[placeOf(database, key, from, to)] = nowMs;
  }

  /** In ms of database time; of the start where neither the key nor one with its place was used. */
  lastUseMs(database: number, key: Uint8Array, from: number, to: number): number {
    return this.#usedAtMs[placeOf(database, key, from, to)];
  }
}

function placeOf(database: number, key: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(database, 0x9e3779b1);
  for (let i = Math.max(from, to - HASHED_BYTES_MAX); i < to; i++) {
    hash = Math.imul(hash ^ key[i], 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & (PLACES - 1);
}
