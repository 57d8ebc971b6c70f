/**
 * What a power cut may do to the writes that nobody synced.
 *
 * Everything not yet durable is cut into units, each of which has a fate of its own. A profile maps
 * a choice to fates; it knows nothing of disks, so that another file system's rules are one more
 * object of this type.
 *
 * `posix-weak` is the least that POSIX promises: any subset of units survives. A lost sector that
 * was never written before may hold garbage, because the blocks a file grew into can be recorded
 * before they are filled; a sector that held durable bytes keeps them, because disks write 512
 * bytes whole.
 */
import type { Prng } from './prng.js';

/**
 * - `name`: a link, unlink or rename. It can only be kept if every earlier operation on its names was.
 * - `size`: the size of a file.
 * - `sector`: 512 bytes of a file. `fresh`: nothing was ever durable there.
 */
export type CrashUnit =
  | { readonly type: 'name'; readonly order: number }
  | { readonly type: 'size'; readonly inode: number }
  | {
      readonly type: 'sector';
      readonly inode: number;
      readonly index: number;
      readonly fresh: boolean;
    };

/** `earlier` is a state between the durable one and the newest: it was written back, the newer was not. */
export type Fate = 'kept' | 'old' | 'earlier' | 'garbage';

/**
 * Which of the possible images: nothing survived, everything survived, bit i says whether unit i
 * survived, a throw of dice, or a journal committed up to history entry `commit` and dice for the rest.
 */
export type CrashChoice =
  | 'none'
  | 'all'
  | { readonly mask: number }
  | { readonly seed: number }
  | { readonly commit: number; readonly seed: number };

/** Where in the history the crash is. */
export interface CrashMoment {
  /** The last entry before it. */
  readonly at: number;
  /** The entry up to which the syncs so far would have committed a journal; -1 is before boot. */
  readonly committedAt: number;
}

export interface ChoiceLimits {
  /** All subsets are tried where there are no more than this. Default 256. */
  subsetsMax?: number;
  /** How many throws of dice there are besides. Default 16. */
  samples?: number;
}

export interface CrashProfile {
  readonly name: string;
  /** Interesting choices, without repetition. */
  choices(
    units: readonly CrashUnit[],
    limits: ChoiceLimits | undefined,
    moment: CrashMoment,
  ): CrashChoice[];
  /**
   * For file systems that keep names, sizes and blocks in one journal: the entry up to which it was
   * committed. Exactly what came before survives of these, and the fates of sectors count only as far
   * as their bytes were written in place.
   */
  commit?(choice: CrashChoice, dice: Prng, moment: CrashMoment): number;
  /** One fate for each unit. `dice` are the choice's own. */
  fates(units: readonly CrashUnit[], choice: CrashChoice, dice: Prng): Fate[];
}

/** Defaults of {@link ChoiceLimits}. */
export const SUBSETS_MAX = 256;
export const SAMPLES = 16;

/** Any subset of what is pending. */
export const posixWeak: CrashProfile = {
  name: 'posix-weak',
  choices(units, { subsetsMax = SUBSETS_MAX, samples = SAMPLES } = {}) {
    if (units.length === 0) return ['none'];
    const choices: CrashChoice[] = [];
    const subsets = 2 ** units.length;
    if (subsets <= subsetsMax) {
      for (let mask = 0; mask < subsets; mask++) choices.push({ mask });
      // Subsets say kept or old; only sectors have more fates than these.
      if (!units.some((unit) => unit.type === 'sector')) return choices;
    } else {
      choices.push('none', 'all');
    }
    for (let seed = 1; seed <= samples; seed++) choices.push({ seed });
    return choices;
  },
  fates(units, choice, dice) {
    if (choice === 'none') return units.map(() => 'old');
    if (choice === 'all') return units.map(() => 'kept');
    if ('mask' in choice) {
      return units.map((_, bit) => (Math.floor(choice.mask / 2 ** bit) % 2 === 1 ? 'kept' : 'old'));
    }
    return throwFates(units, dice);
  },
};

/** Only what was synced survives. */
export const nothingUnsynced: CrashProfile = fixed('none');

/** Everything survives: the cut came after a long quiet time. */
export const everything: CrashProfile = fixed('all');

function fixed(choice: 'none' | 'all'): CrashProfile {
  return {
    name: choice,
    choices: () => [choice],
    fates: (units) => units.map(() => (choice === 'all' ? 'kept' : 'old')),
  };
}

/**
 * Bugs hide where one kind of unit survived and another did not, so each throw first draws how
 * likely names, sizes and sectors are to survive.
 */
export function throwFates(units: readonly CrashUnit[], dice: Prng): Fate[] {
  const levels = [0, 0.1, 0.5, 0.9, 1];
  const odds = {
    name: levels[dice.below(levels.length)],
    size: levels[dice.below(levels.length)],
    sector: levels[dice.below(levels.length)],
  };
  const garbage = levels[dice.below(levels.length)];
  return units.map((unit) => {
    if (dice.chance(odds[unit.type])) return 'kept';
    if (unit.type === 'name') return 'old';
    if (unit.type === 'sector' && unit.fresh && dice.chance(garbage)) return 'garbage';
    return dice.chance(0.5) ? 'old' : 'earlier';
  });
}
