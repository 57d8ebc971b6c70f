/**
 * Numbers for places in a walk: what SCAN gives to clients, who bring it back when they like.
 *
 *     number     place * 2^32 + token        place: a slot, or the hash of a field's name
 *
 * A walk that stops where a place begins needs no more than the place. One that stops within (many keys in a slot)
 * keeps the key where it stopped under a token. Where the token is forgotten, after a restart or very many other
 * walks, it goes on from where the place begins: keys are met twice, none is missed.
 *
 * Invariant: a token is believed only for a key of the walk that it is brought back to; tokens of another process
 * are told apart by their random beginning.
 */
import { POSITIONS_MAX } from '../../limits.js';

const TOKENS = 0x1_0000_0000;

export class Positions {
  readonly #keys = new Map<number, Buffer>();
  #next: number;

  /** `first` is random: where tokens begin. */
  constructor(first: number) {
    this.#next = first % TOKENS;
  }

  /** The number for stopping before `key`, which lies within `place`. */
  within(place: number, key: Buffer): number {
    this.#next = (this.#next % (TOKENS - 1)) + 1;
    this.#keys.set(this.#next, key);
    if (this.#keys.size > POSITIONS_MAX) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    return place * TOKENS + this.#next;
  }

  /** The number for stopping where `place` begins. */
  before(place: number): number {
    return place * TOKENS;
  }

  placeOf(position: number): number {
    return Math.floor(position / TOKENS);
  }

  /** The key where a walk stopped; `undefined` where it is not known, or none of those from `from` on. */
  keyOf(position: number, from: Buffer): Buffer | undefined {
    const key = this.#keys.get(position % TOKENS);
    return key?.subarray(0, from.length).equals(from) ? key : undefined;
  }
}
