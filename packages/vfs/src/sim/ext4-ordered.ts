/**
 * What a power cut may do on a journalling file system in ordered mode (ext4's default, `data=ordered`).
 *
 * Names, sizes and the allocation of blocks go through one journal: a prefix of its changes survives,
 * over all files and directories. The bytes of newly allocated blocks reach the disk before the
 * journal that makes them reachable, so that nobody ever reads rubbish or old zeros there. Bytes
 * written in place do not go through the journal: any subset of them survives. An fsync that changes
 * a size, and a directory's, commits the journal up to where it began, other files' names included.
 *
 * The size of a file takes its place in the journal when the write is made. Delayed allocation, which
 * can commit a rename before the bytes of the renamed file, is left to `posix-weak`.
 */
import type { CrashChoice, CrashProfile } from './crash-profile.js';
import { SAMPLES, SUBSETS_MAX, throwFates } from './crash-profile.js';

/** Ordered data and one journal of names and sizes. */
export const ext4Ordered: CrashProfile = {
  name: 'ext4-ordered',

  choices(units, { subsetsMax = SUBSETS_MAX, samples = SAMPLES } = {}, moment) {
    if (units.length === 0) return ['none'];
    const { at, committedAt } = moment;
    const inPlace = units.some((unit) => unit.type === 'sector');
    const commits = at - committedAt + 1;
    const tried = commits <= subsetsMax ? commits : Math.max(2, samples);
    const choices: CrashChoice[] = [];
    for (let i = 0; i < tried; i++) {
      const commit = committedAt + Math.floor((i * (commits - 1)) / Math.max(1, tried - 1));
      choices.push({ commit, seed: 0 });
    }
    if (!inPlace) return choices;
    choices.push('all');
    for (let seed = 1; seed <= samples; seed++) choices.push({ seed });
    return choices;
  },

  commit(choice, dice, { at, committedAt }) {
    if (choice === 'none') return committedAt;
    if (choice === 'all') return at;
    if ('commit' in choice) return choice.commit;
    return committedAt + dice.below(at - committedAt + 1);
  },

  fates(units, choice, dice) {
    if (choice === 'none') return units.map(() => 'old');
    if (choice === 'all') return units.map(() => 'kept');
    if ('seed' in choice && choice.seed === 0) return units.map(() => 'old');
    return throwFates(units, dice).map((fate) => (fate === 'garbage' ? 'old' : fate));
  },
};
