/**
 * Cuts whole segments off the beginning of the log (R4).
 *
 * Order: HEAD names the new first segment, durably; only then are files unlinked, oldest first. A
 * crash anywhere in between leaves a contiguous log: what is below HEAD's first is no part of it,
 * and the next opening removes it.
 */
import type { Vfs } from '@nendb/vfs';
import type { Segment } from './directory.js';
import type { HeadFile } from './head-file.js';

export async function truncateSegments(
  { vfs, dir }: { vfs: Vfs; dir: string },
  head: HeadFile,
  cut: readonly Segment[],
  firstSequence: number,
  syncedLsn: number,
): Promise<void> {
  const lastSequence = Math.max(head.head.lastSequence, firstSequence);
  await head.update({ firstSequence, lastSequence, syncedLsn });
  for (const { path } of cut) await vfs.unlink(path);
  await vfs.syncDir(dir);
}
