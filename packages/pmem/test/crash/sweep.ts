/**
 * Lives on simulated persistent memory, crashed at every drain, and what recovers from each image;
 * recoveries are crashed in turn.
 */
import { Region } from '@nendb/pmem';
import { type CrashImage, openSim, SimPmem } from '@nendb/pmem/sim';
import { Life, useAfter, wrongWith } from './life.js';

/** Small enough to copy and to fill, large enough for eight blocks to wander about in. */
export const SWEEP_BYTES = 16 * 1024;

export interface SweepOptions {
  imagesMax: number;
  untilMs?: number;
  /** Every so many images the recovery is crashed, too. */
  nestEvery?: number;
  /** Stands in for the simulated memory, with a bug. */
  makeSim?: () => SimPmem;
  /** Stands in for the memory that recovers. */
  tamper?: (image: Uint8Array) => void;
  /** Throws of dice at a crash point with many combinations. */
  samples?: number;
}

export class Sweep {
  images = 0;
  nested = 0;
  /** The first thing found wrong, with what repeats it. */
  found: string | undefined;
  readonly #options: SweepOptions;
  readonly #seen = new Set<string>();

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  get done(): boolean {
    const { imagesMax, untilMs = Number.POSITIVE_INFINITY } = this.#options;
    return this.found !== undefined || this.images >= imagesMax || performance.now() > untilMs;
  }

  async run(seed: number, acts: number): Promise<void> {
    const sim = this.#options.makeSim?.() ?? new SimPmem({ bytesMax: SWEEP_BYTES });
    let life: Life | undefined;
    sim.onCrashPoint = (point) => {
      const states = life?.states ?? ['nothing'];
      const done = life?.done ?? 0;
      for (const image of point.images({
        seen: this.#seen,
        samples: this.#options.samples ?? 24,
      })) {
        if (this.done) return;
        this.#recover(image, states, done, `seed ${seed}, ${image.label}`);
      }
    };
    try {
      const region = Region.on(sim, { uuid: () => new Uint8Array(16) });
      life = new Life(region, seed);
      life.begin();
      for (let act = 0; act < acts && !this.done; act++) life.act();
      await region.close();
    } catch (error) {
      this.found ??= `${String(error)} (seed ${seed}, while it lived)`;
    }
  }

  #recover(image: CrashImage, states: readonly string[], done: number, label: string): void {
    this.images++;
    this.#options.tamper?.(image.bytes);
    const nests = this.images % (this.#options.nestEvery ?? Number.POSITIVE_INFINITY) === 0;
    const onCrashPoint = nests
      ? (point: { images(options: object): Iterable<CrashImage> }) => {
          for (const second of point.images({ seen: this.#seen, samples: 8, subsetsMax: 64 })) {
            if (this.done) return;
            this.nested++;
            this.images++;
            this.#judge(second.bytes, states, done, `${label}; then ${second.label}`);
          }
        }
      : undefined;
    this.#judge(image.bytes, states, done, label, onCrashPoint);
  }

  #judge(
    image: Uint8Array,
    states: readonly string[],
    done: number,
    label: string,
    onCrashPoint?: (point: { images(options: object): Iterable<CrashImage> }) => void,
  ): void {
    let wrong: string;
    try {
      const { sim, region } = openSim({ bytesMax: SWEEP_BYTES, image, onCrashPoint });
      sim.onCrashPoint = undefined;
      wrong = wrongWith(region, states, done);
      if (wrong === '' && this.images % 16 === 0) wrong = useAfter(region);
    } catch (error) {
      wrong = error instanceof Error ? error.message : String(error);
    }
    if (wrong !== '') this.found ??= `${wrong} (${label})`;
  }
}
