/** Seeds of property tests: some that never change, and one that does and is printed. */

const FIXED = [1, 42, 20_261_120] as const;

/** The seeds to run a property with. `NENDB_TEST_SEED` replaces the rotating one. */
export function testSeeds(name: string): number[] {
  const given = process.env.NENDB_TEST_SEED;
  const rotating = given === undefined ? Date.now() % 0x7fffffff : Number(given);
  console.log(`${name}: NENDB_TEST_SEED=${rotating}`);
  return [...FIXED, rotating];
}
