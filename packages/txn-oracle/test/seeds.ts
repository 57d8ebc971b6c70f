/** Seeds of property tests: some that never change, and one that does; its title reproduces it. */
const rotating = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

export const seeds: readonly (readonly [string, number])[] = [
  ['seed 1', 1],
  ['seed 20261120', 20_261_120],
  [`NENDB_SEED=${rotating}`, rotating],
];
