/**
 * Puts a whole file in place in one step: unique temporary name, write, fsync, rename, fsync of the
 * directory. After any crash the path holds the old bytes or the new ones, complete.
 *
 * Whoever finds the new bytes after a kill may be reading the cache: they are durable when
 * `replaceFile` has resolved, or after another sync of the directory.
 *
 * A crash may leave a temporary file behind: its name ends in `REPLACE_SUFFIX`, and whoever owns the
 * directory may unlink it at the next open.
 */
import { dirname } from './path.js';
import { writeFully } from './transfer.js';
import type { Vfs } from './vfs.js';

/** How temporary names of {@link replaceFile} end. */
export const REPLACE_SUFFIX = '.tmp';

/**
 * Makes `path` hold exactly `bytes`, durably. Rejects with the errno error of the step that failed; `path` then
 * holds the old content or the new one, and which of the two survives a power cut is unknown.
 */
export async function replaceFile(vfs: Vfs, path: string, bytes: Uint8Array): Promise<void> {
  const unique = Buffer.from(vfs.random.uuid()).toString('hex', 0, 8);
  const temporary = `${path}.${unique}${REPLACE_SUFFIX}`;
  const file = await vfs.open(temporary, 'create');
  try {
    try {
      await writeFully(file, bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await vfs.rename(temporary, path);
  } catch (error) {
    // The first error is the one worth reporting; a leftover is harmless.
    await vfs.unlink(temporary).catch(() => undefined);
    throw error;
  }
  await vfs.syncDir(dirname(path));
}
