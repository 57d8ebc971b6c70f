/** A directory for one test, and what is in a directory as one hash. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Made now, removed with the test. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'nen-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Names, sizes, modification times and contents of everything below `dir`. */
export function hashTree(dir: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const stat = statSync(path);
    hash.update(`${path}\0${stat.mtimeMs}\0${stat.size}\0`);
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(readFileSync(path));
  };
  visit(dir);
  return hash.digest('hex');
}
