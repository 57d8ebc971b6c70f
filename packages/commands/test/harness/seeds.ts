/** Seeds of property tests: one that never changes, one that is new with each run and printed. */
export const FIXED_SEED = 20_260_101;

export function rotatingSeed(name: string): number {
  const given = process.env.NENDB_SEED;
  const seed = given === undefined ? Date.now() % 0x7fffffff : Number(given);
  console.log(`${name}: NENDB_SEED=${seed}`);
  return seed;
}
