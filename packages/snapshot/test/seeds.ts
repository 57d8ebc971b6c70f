/** Fixed seeds, and one that rotates; vitest prints it in the test's title, which reproduces it. */
const rotating = Number(process.env.NENDB_SEED ?? Date.now() % 0x7fffffff);

export const seeds: readonly (readonly [string, number])[] = [
  ['seed 1', 1],
  ['seed 20261120', 20261120],
  [`NENDB_SEED=${rotating}`, rotating],
];
