/**
 * A moment at which the power may fail, and the images it can leave.
 *
 * Of every line that has stores which are not durable, a prefix of them may have reached the medium:
 * by its flush, or by eviction. Lines are independent of each other. Where that gives at most
 * `subsetsMax` images all of them are made, else none, all, and throws of dice.
 *
 * A point is valid until the next operation on the simulated memory.
 */
import { crc32 } from 'node:zlib';
import { Prng } from '@nendb/vfs/sim';
import { LINE_BYTES } from '../address.js';
import type { LineLog } from './line-log.js';

/** Which stores survive: nothing, everything, the n-th combination, or a throw of dice. */
export type CrashChoice = 'none' | 'all' | { readonly nth: number } | { readonly seed: number };

export interface CrashChoices {
  /** Up to so many combinations are all tried; default 256. */
  subsetsMax?: number;
  /** Throws of dice where there are more; default 16. */
  samples?: number;
  /** Hashes of images seen before: they are left out, and new ones added. */
  seen?: Set<string>;
}

export interface CrashImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: string;
  /** Names the moment and the choice: the run and this line give the image again. */
  readonly label: string;
}

export type CrashMoment = 'drain' | 'ack' | 'now';

export class CrashPoint {
  readonly #durable: Uint8Array;
  readonly #lines: readonly (readonly [line: number, log: LineLog])[];

  constructor(
    readonly moment: CrashMoment,
    /** Number of drains and acks before it. */
    readonly at: number,
    /** What was acknowledged before it, in order. */
    readonly acks: readonly string[],
    durable: Uint8Array,
    lines: ReadonlyMap<number, LineLog>,
  ) {
    this.#durable = durable;
    this.#lines = [...lines];
  }

  /** Lines that have stores which may be lost. */
  get lines(): number {
    return this.#lines.length;
  }

  /** Images that this moment can leave, `Infinity` beyond 2^53. */
  get combinations(): number {
    let product = 1;
    for (const [, log] of this.#lines) product *= log.length + 1;
    return product;
  }

  choices({ subsetsMax = 256, samples = 16 }: CrashChoices = {}): CrashChoice[] {
    const count = this.combinations;
    if (count <= subsetsMax) return Array.from({ length: count }, (_, nth) => ({ nth }));
    return ['none', 'all', ...Array.from({ length: samples }, (_, i) => ({ seed: i + 1 }))];
  }

  /** Each image that `choices` gives, without those seen before. */
  *images(choices: CrashChoices = {}): Generator<CrashImage> {
    for (const choice of this.choices(choices)) {
      const image = this.image(choice);
      if (choices.seen?.has(image.hash)) continue;
      choices.seen?.add(image.hash);
      yield image;
    }
  }

  image(choice: CrashChoice): CrashImage {
    const bytes = new Uint8Array(this.#durable);
    const view = new DataView(bytes.buffer);
    const survives = this.#survivors(choice);
    for (const [line, log] of this.#lines) log.apply(view, line * LINE_BYTES, survives(log.length));
    const half = bytes.length >>> 1;
    const hash = `${crc32(bytes)}-${crc32(bytes.subarray(0, half), 1)}`;
    return { bytes, hash, label: `${this.moment} ${this.at}, ${JSON.stringify(choice)}` };
  }

  /** For the lines in order: how many of a line's stores survive. */
  #survivors(choice: CrashChoice): (stores: number) => number {
    if (choice === 'none') return () => 0;
    if (choice === 'all') return (stores) => stores;
    if ('nth' in choice) {
      let rest = choice.nth;
      return (stores) => {
        const kept = rest % (stores + 1);
        rest = Math.floor(rest / (stores + 1));
        return kept;
      };
    }
    const dice = new Prng(choice.seed, this.at);
    const whole = dice.uint32() / 2 ** 32;
    return (stores) => {
      if (dice.chance(0.3)) return dice.below(stores + 1);
      return dice.chance(whole) ? stores : 0;
    };
  }
}
