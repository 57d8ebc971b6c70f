/** Databases on disk for tests, made by the engine itself. */
import { LocalClient } from '@nendb/commands';
import { Engine } from '@nendb/engine';
import { tempDir } from './temp-dir.js';

/** What to do with a database before it is closed. */
export type Work = (client: LocalClient, engine: Engine) => Promise<unknown>;

/** A closed database in a directory that goes with the test. */
export async function makeDatabase(work: Work): Promise<string> {
  const dir = tempDir();
  await useDatabase(dir, work);
  return dir;
}

/** Opens the database in `dir`, works on it, closes it. */
export async function useDatabase(dir: string, work: Work): Promise<void> {
  const engine = await Engine.open({ dir, activeExpiry: false, preallocate: false });
  try {
    await work(new LocalClient({ engine, protocol: 2 }), engine);
  } finally {
    await engine.close();
  }
}
