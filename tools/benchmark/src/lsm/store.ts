/** What the suite asks of a store; each answers by the fastest way of its own API. */

/** How many puts are under way at a time where they are not awaited one by one. */
export const IN_FLIGHT = 1000;
/** Entries of a batch, and of a range. */
export const BATCH = 100;

/** A range of an order of keys: `order[from, to)`. */
export interface Slice {
  order: Uint32Array;
  from: number;
  to: number;
}

export interface Store {
  /** What is measured: the product, its keys' type, its sync mode. */
  readonly name: string;
  /** The files that it has written so far. */
  readonly dir: string;
  /** Puts that are awaited a thousand at a time. */
  putInFlight(slice: Slice): Promise<void>;
  /** Puts that are awaited one by one. */
  putAwaited(slice: Slice): Promise<void>;
  /** Atomic batches of 100. */
  putBatches(slice: Slice): Promise<void>;
  /** Puts that are synced, so many of them awaited at a time. */
  putSynced(slice: Slice, writers: number): Promise<void>;
  /** Puts one long value; resolves when it is written. */
  putLong(i: number, value: Buffer): Promise<void>;
  /** How many of the keys are there: all. */
  get(slice: Slice): number;
  /** How many of as many keys are there that were never put: none. */
  getMissing(slice: Slice): number;
  /** Walks over all entries, seeing keys and values; how many there are. */
  walk(): Promise<number>;
  /** A hundred entries from each key on; how many in all. */
  ranges(slice: Slice): Promise<number>;
  /** Puts everything in order that it would put in order sooner or later, then closes and opens. */
  reopenAtRest(): Promise<void>;
  close(): Promise<void>;
}

export type OpenStore = (dir: string) => Promise<Store>;
