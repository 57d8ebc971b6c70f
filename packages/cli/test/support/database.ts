/** Databases on disk for tests, made by the engine itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { LocalClient } from '@nendb/commands';
import { Engine } from '@nendb/engine';
import { expect } from 'vitest';
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
  const engine = await Engine.open({
    ...{ dir, activeExpiry: false, preallocate: false },
    regionBytes: 64 * 1024 * 1024,
  });
  try {
    await work(new LocalClient({ engine, protocol: 2 }), engine);
  } finally {
    await engine.close();
  }
}

/** Turns over one bit in the middle of the first occurrence of `marker`. */
export function damage(file: string, marker: string): void {
  const bytes = readFileSync(file);
  const at = bytes.indexOf(marker);
  expect(at).toBeGreaterThan(0);
  bytes[at] ^= 1;
  writeFileSync(file, bytes);
}

/** Gives the file the version of a later release: bytes 8 to 11 of its preamble, whose checksum is at 44. */
export function makeNewer(file: string): void {
  const bytes = readFileSync(file);
  bytes.writeUInt32LE(99, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44);
  writeFileSync(file, bytes);
}
