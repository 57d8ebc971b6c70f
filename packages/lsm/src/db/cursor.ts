/**
 * Walks over visible entries, in bounds, either way.
 *
 *     const it = db.cursor({ gte, lt });
 *     while (it.next()) use(it.key, it.value);
 *     it.close();
 *
 * Invariants
 *  1. It sees the tree of the moment in which it was made, or of its snapshot, whatever happens meanwhile.
 *  2. It pins memory and files until it is closed.
 *  3. `keyView` and `valueView` are borrowed until the cursor moves; `key` and `value` are copies.
 */

import { LsmError } from '../errors.js';
import { readError } from '../io-error.js';
import type { VisibleCursor } from '../merge/visible-cursor.js';
import { isAtOrBehind, isEmptyRange, type KeyBounds, keyAfter } from './key-bounds.js';
import type { Values } from './values.js';

export interface CursorParts {
  visible: VisibleCursor;
  values: Values;
  bounds: KeyBounds;
  reverse: boolean;
  limit: number;
  /** Told what was read, piece by piece, where somebody has to know. */
  watcher?: CursorWatcher | undefined;
  onClose(): void;
}

/** Learns what a cursor has read. */
export interface CursorWatcher {
  /** All of `[gte, lt)` was looked at; `undefined` for no bound. */
  onRange(gte: Uint8Array | undefined, lt: Uint8Array | undefined): void;
  onEntry(visible: VisibleCursor): void;
  /** Asked before each step: a cursor over what has come since as well, where something has; the old one is closed. */
  renewed(): VisibleCursor | undefined;
}

export class LsmCursor {
  readonly #parts: CursorParts;
  #visible: VisibleCursor;
  readonly #lt: Uint8Array | undefined;
  readonly #gte: Uint8Array | undefined;
  readonly #reverse: boolean;
  #left: number;
  /** Whether the last step found nothing more. */
  #ended = false;
  /** What the next step does: move on, or begin at a bound or at the key that was sought. */
  #begin: 'move' | 'bound' | 'target' = 'bound';
  #target: Uint8Array | undefined;
  /** Where what was told to the watcher ends; `undefined` at a side without bound. */
  #watchedTo: Uint8Array | undefined;
  #on = false;
  #closed = false;

  constructor(parts: CursorParts) {
    this.#parts = parts;
    this.#visible = parts.visible;
    this.#gte = parts.bounds.gte;
    this.#lt = parts.bounds.lt;
    this.#reverse = parts.reverse;
    this.#left = isEmptyRange(parts.bounds) ? 0 : parts.limit;
    this.#watchedTo = parts.reverse ? parts.bounds.lt : parts.bounds.gte;
  }

  /** Moves to the next entry; false behind the last. Throws `LSM_CLOSED`, `LSM_CORRUPT`, `LSM_WRONG_KEY`, `LSM_IO`. */
  next(): boolean {
    if (this.#closed) throw closed();
    if (this.#left <= 0 || this.#ended) {
      this.#on = false;
      return false;
    }
    try {
      if (!this.#renew()) {
        if (this.#begin !== 'move') this.#start();
        else if (this.#reverse) this.#visible.prev();
        else this.#visible.next();
      }
    } catch (error) {
      throw readError(error);
    }
    const visible = this.#visible;
    this.#on = visible.valid && this.#isInside(visible);
    if (this.#parts.watcher !== undefined) this.#watch(this.#parts.watcher);
    if (this.#on) this.#left--;
    else this.#ended = true;
    return this.#on;
  }

  /**
   * The next call of `next` finds the first entry at or behind `key` (backwards: at or before it), within the
   * bounds. The limit goes on counting.
   */
  seek(key: Uint8Array): void {
    if (this.#closed) throw closed();
    this.#on = false;
    this.#target = Uint8Array.from(key);
    this.#begin = 'target';
    this.#ended = false;
    this.#watchedTo = this.#reverse ? keyAfter(this.#target) : this.#target;
  }

  /** Whether `key` and `value` show an entry. */
  get valid(): boolean {
    return this.#on;
  }

  /** A copy. Throws `LSM_CLOSED` where there is no entry. */
  get key(): Uint8Array {
    const { keyBytes, keyFrom, keyTo } = this.#entry();
    return keyBytes.slice(keyFrom, keyTo);
  }

  /** Borrowed until the cursor moves. */
  get keyView(): Uint8Array {
    const { keyBytes, keyFrom, keyTo } = this.#entry();
    return keyBytes.subarray(keyFrom, keyTo);
  }

  /** A copy. */
  get value(): Uint8Array {
    return this.#parts.values.copyOf(this.#entry());
  }

  /** Borrowed until the cursor moves. */
  get valueView(): Uint8Array {
    return this.#parts.values.viewOf(this.#entry());
  }

  /** When the entry expires, in ms since 1970; 0 for never. */
  get expireAtMs(): number {
    return this.#entry().expireAtMs;
  }

  /** The sequence number of the commit that wrote it. */
  get sequence(): number {
    return this.#entry().sequence;
  }

  /** Lets go of what it pins. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#on = false;
    this.#visible.close();
    this.#parts.onClose();
  }

  #entry(): VisibleCursor {
    if (this.#on) return this.#visible;
    throw new LsmError(
      'LSM_CLOSED',
      'expected a cursor on an entry, got one that stands on none: call next() first, and look at what it returns',
    );
  }

  /** Goes on in a renewed cursor, where there is one; returns whether the step is done by that. */
  #renew(): boolean {
    const { watcher } = this.#parts;
    if (watcher === undefined) return false;
    const key = this.#on ? this.key : undefined;
    const renewed = watcher.renewed();
    if (renewed === undefined) return false;
    this.#visible = renewed;
    if (this.#begin !== 'move' || key === undefined) return false;
    if (this.#reverse) renewed.seekBefore(key, 0, key.length);
    else renewed.seek(keyAfter(key), 0, key.length + 1);
    return true;
  }

  #start(): void {
    const visible = this.#visible;
    const target = this.#begin === 'target' ? this.#target : undefined;
    this.#begin = 'move';
    if (this.#reverse) {
      const lt = target === undefined ? this.#lt : nearer(keyAfter(target), this.#lt, -1);
      if (lt === undefined) visible.seekToLast();
      else visible.seekBefore(lt, 0, lt.length);
    } else {
      const gte = target === undefined ? this.#gte : nearer(target, this.#gte, 1);
      if (gte === undefined) visible.seekToFirst();
      else visible.seek(gte, 0, gte.length);
    }
  }

  #isInside({ keyBytes, keyFrom, keyTo }: VisibleCursor): boolean {
    if (this.#reverse) {
      return this.#gte === undefined || isAtOrBehind(keyBytes, keyFrom, keyTo, this.#gte);
    }
    return this.#lt === undefined || !isAtOrBehind(keyBytes, keyFrom, keyTo, this.#lt);
  }

  #watch(watcher: CursorWatcher): void {
    const end = this.#reverse ? this.#gte : this.#lt;
    const here = this.#on ? this.key : undefined;
    if (this.#on) watcher.onEntry(this.#visible);
    if (this.#reverse) {
      watcher.onRange(here ?? end, this.#watchedTo);
      this.#watchedTo = here;
    } else {
      const to = here === undefined ? end : keyAfter(here);
      watcher.onRange(this.#watchedTo, to);
      this.#watchedTo = to;
    }
  }
}

/** The bound that is further in the direction of `sign`. */
function nearer(target: Uint8Array, bound: Uint8Array | undefined, sign: 1 | -1): Uint8Array {
  if (bound === undefined) return target;
  const behind = isAtOrBehind(target, 0, target.length, bound);
  return behind === sign > 0 ? target : bound;
}

function closed(): LsmError {
  return new LsmError('LSM_CLOSED', 'expected an open cursor, got a closed one: make another');
}
