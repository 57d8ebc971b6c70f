/** What a program has promised, and at which position of the history. */
import type { ByteRange } from './durability.js';

/** Bytes that a promise rests on: all of a file or directory, or a range. */
export interface Promised extends ByteRange {
  path: string;
}

export class Acknowledgements {
  readonly #made: { readonly at: number; readonly what: string }[] = [];

  /** Positions never fall. */
  add(at: number, what: string): void {
    this.#made.push({ at, what });
  }

  /** What was promised when `at` changes had been made, in order. */
  by(at: number): string[] {
    let end = this.#made.length;
    while (end > 0 && this.#made[end - 1].at > at) end--;
    return this.#made.slice(0, end).map(({ what }) => what);
  }
}
