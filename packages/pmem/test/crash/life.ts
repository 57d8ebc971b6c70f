/**
 * A structure of eight blocks and four values in a region, lived at random, and what a crash may make
 * of it: the state before the step in progress, or the one after it. Nothing else.
 *
 *     root 0 ─▶ table   owners: 8 words, each names a block or nothing
 *                       values: 4 words
 *
 * A block tells what it should hold in its first and its last word, but for those that were allocated
 * straight into their word.
 */
import { PmemError, type Region, toOffset } from '@nendb/pmem';
import { Prng } from '@nendb/vfs/sim';

const OWNERS = 8;
const VALUES = 4;
const TABLE_BYTES = (OWNERS + VALUES) * 4;

interface Owned {
  offset: number;
  bytes: number;
  /** 0: allocated straight into the word, contents unknown. */
  stamp: number;
}

export class Life {
  /** States in order; the last is that of the step in progress or just done. */
  readonly states: string[] = [];
  /** Steps that are done: a crash now leaves this state or the next. */
  done = 0;
  readonly #region: Region;
  readonly #dice: Prng;
  readonly #owned: (Owned | undefined)[] = Array.from({ length: OWNERS });
  readonly #values: number[] = Array.from({ length: VALUES }, () => 0);
  #abandoned: { offset: number; bytes: number }[] = [];
  #table = 0;
  #stamp = 0;

  constructor(region: Region, seed: number) {
    this.#region = region;
    this.#dice = new Prng(seed);
    this.states.push(NOTHING);
  }

  /** Makes the table. */
  begin(): void {
    const table = this.#region.alloc(TABLE_BYTES);
    this.#region.windows[0].zero(table, table + TABLE_BYTES);
    this.#region.persist(table, TABLE_BYTES);
    this.#table = table;
    this.#change(() => this.#region.publish(table, this.#region.rootWord(0)));
  }

  /** One operation of the structure: one or more steps. */
  act(): void {
    const slot = this.#dice.below(OWNERS);
    try {
      const kind = this.#dice.below(10);
      if (kind < 4) this.#put(slot);
      else if (kind < 5) this.#allocInto(slot);
      else if (kind < 7) this.#take(slot);
      else if (kind < 8) this.#withdraw(slot);
      else if (kind < 9) this.#abandon();
      else this.#setValue();
    } catch (error) {
      if (!(error instanceof PmemError && error.code === 'PMEM_EXHAUSTED')) throw error;
      this.#freeAbandoned();
    }
  }

  #put(slot: number): void {
    const bytes = 8 + this.#dice.below(300) * 8;
    const offset = this.#region.alloc(bytes);
    const stamp = ++this.#stamp;
    this.#write(offset, bytes, stamp);
    const before = this.#owned[slot];
    this.#owned[slot] = { offset, bytes, stamp };
    const value = this.#dice.below(VALUES);
    this.#values[value] = stamp;
    this.#change(() =>
      this.#region.publish(offset, this.#word(slot), {
        withdraws: before?.offset,
        words: [[this.#valueWord(value), stamp]],
      }),
    );
    if (before !== undefined) this.#region.free(before.offset, before.bytes);
  }

  #write(offset: number, bytes: number, stamp: number): void {
    const [window] = this.#region.windows;
    window.store32(offset / 4, stamp);
    window.store32((offset + bytes) / 4 - 1, stamp);
    this.#region.flush(offset, 4);
    if (bytes > 64) this.#region.flush(offset + bytes - 4, 4);
    this.#region.drain();
  }

  #allocInto(slot: number): void {
    if (this.#owned[slot] !== undefined) return;
    const bytes = 4 + this.#dice.below(300) * 8;
    this.#owned[slot] = { offset: 0, bytes, stamp: 0 };
    try {
      this.#change(() => {
        const offset = this.#region.alloc(bytes, { into: this.#word(slot) });
        this.#owned[slot] = { offset, bytes, stamp: 0 };
      });
    } catch (error) {
      this.#owned[slot] = undefined;
      this.states.pop();
      throw error;
    }
  }

  #take(slot: number): void {
    const owned = this.#owned[slot];
    if (owned === undefined) return;
    this.#owned[slot] = undefined;
    this.#change(() => this.#region.free(owned.offset, owned.bytes, { from: this.#word(slot) }));
  }

  #withdraw(slot: number): void {
    const owned = this.#owned[slot];
    if (owned === undefined) return;
    this.#owned[slot] = undefined;
    this.#change(() => this.#region.withdraw(owned.offset, this.#word(slot)));
    this.#abandoned.push(owned);
  }

  #abandon(): void {
    const bytes = 1 + this.#dice.below(900);
    this.#abandoned.push({ offset: this.#region.alloc(bytes), bytes });
    if (this.#dice.chance(0.5)) this.#freeAbandoned();
  }

  #freeAbandoned(): void {
    for (const { offset, bytes } of this.#abandoned) this.#region.free(offset, bytes);
    this.#abandoned = [];
  }

  /** Outside of any transaction: redoing an old one must not undo it. */
  #setValue(): void {
    const value = this.#dice.below(VALUES);
    this.#values[value] = ++this.#stamp;
    this.#change(() => {
      const word = this.#valueWord(value);
      this.#region.windows[0].commit32(word / 4, this.#values[value]);
      this.#region.persist(word, 4);
    });
  }

  #change(step: () => void): void {
    this.states.push(
      describe(
        this.#owned.map((owned) => (owned === undefined ? '' : `${owned.bytes}:${owned.stamp}`)),
        this.#values,
      ),
    );
    step();
    this.done = this.states.length - 1;
  }

  #word(slot: number): number {
    return this.#table + slot * 4;
  }

  #valueWord(value: number): number {
    return this.#table + (OWNERS + value) * 4;
  }
}

const NOTHING = 'nothing';

function describe(blocks: readonly string[], values: readonly number[]): string {
  return `${blocks.join(' ')} | ${values.join(' ')}`;
}

/** What a region holds, found by following its words; throws what is wrong with it. */
export function readState(region: Region): string {
  const verdict = region.verify();
  if (!verdict.ok) throw new Error(verdict.problems.join('; '));
  if (verdict.pendingBlocks > 0) throw new Error(`${verdict.pendingBlocks} blocks of nobody`);
  const table = region.root(0);
  if (table === 0) {
    if (verdict.ownedBlocks > 0) throw new Error(`${verdict.ownedBlocks} blocks are lost`);
    return NOTHING;
  }
  const { u32 } = region.windows[0];
  const named = new Set([table]);
  const blocks: string[] = [];
  for (let slot = 0; slot < OWNERS; slot++) {
    const offset = toOffset(u32[table / 4 + slot]);
    if (offset === 0) {
      blocks.push('');
      continue;
    }
    if (named.has(offset)) throw new Error(`the block at ${offset} is named twice`);
    named.add(offset);
    const bytes = region.sizeOf(offset);
    const first = u32[offset / 4];
    const last = u32[(offset + bytes) / 4 - 1];
    if (bytes % 8 === 4) blocks.push(`${bytes}:0`);
    else blocks.push(first === last ? `${bytes}:${first}` : `${bytes}:${first}/${last}`);
  }
  if (verdict.ownedBlocks !== named.size) {
    throw new Error(`${verdict.ownedBlocks} blocks have an owner, ${named.size} are named`);
  }
  const at = table / 4 + OWNERS;
  return describe(blocks, [...u32.subarray(at, at + VALUES)]);
}

/**
 * What is wrong with a recovered region: its state must be one of `states` from `done` on, before
 * `end`. Empty where it is.
 */
export function wrongWith(
  region: Region,
  states: readonly string[],
  done: number,
  end = done + 2,
): string {
  let state: string;
  try {
    state = readState(region);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const allowed = states.slice(done, end);
  return allowed.includes(state) ? '' : `expected "${allowed.join('" or "')}", got "${state}"`;
}

/** That a recovered region goes on: takes an allocation and gives it back. */
export function useAfter(region: Region): string {
  const before = readState(region);
  const offset = region.alloc(64);
  region.free(offset, 64);
  return readState(region) === before ? '' : 'an allocation changed what was there';
}
