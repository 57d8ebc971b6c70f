/**
 * What a sync leaves behind, when it works and when it fails.
 *
 * After a failed fsync Linux marks the pages clean although they were never written: a retry finds
 * nothing to do and succeeds (Rebello et al., "Can Applications Recover from fsync Failures?",
 * USENIX ATC 2020).
 */
import type { FileContent } from './content.js';
import type { SYNC_FAILURES } from './coverage-kinds.js';
import type { FileNode } from './disk-state.js';

/**
 * How a failed sync leaves the cache:
 *
 * - `clean-new` (ext4, XFS): reads still see the new bytes, which are not on disk.
 * - `clean-old` (btrfs, or an evicted page): reads see the old bytes again.
 * - `partial`: every second dirty sector reached the disk; reads see the new bytes.
 * - `late`: as `clean-new`, but this sync says that all is well; each descriptor that is open on the
 *   file now is told by its next sync, once.
 */
export type SyncFailure = (typeof SYNC_FAILURES)[number];

/** A sync that started when the cache was `captured`. */
export function afterSync(file: FileNode, captured: FileContent): FileNode {
  // A sync that started later has already finished, and covers more.
  if (captured.stamp <= file.clean.stamp) return file;
  if (file.clean === file.durable) return { ...file, clean: captured, durable: captured };
  return {
    ...file,
    clean: captured,
    durable: file.durable.patch(
      captured.differences(file.clean).map((index) => [index, captured.sector(index)] as const),
      captured.size === file.clean.size ? file.durable.size : captured.size,
    ),
  };
}

export function afterLostSync(
  file: FileNode,
  captured: FileContent,
  failure: SyncFailure,
): FileNode {
  if (captured.stamp <= file.clean.stamp) return file;
  const dirty = captured.differences(file.clean);
  if (failure === 'clean-new' || failure === 'late') return { ...file, clean: captured };
  if (failure === 'partial') {
    const written = dirty.filter((_, order) => order % 2 === 0);
    return {
      ...file,
      clean: captured,
      durable: file.durable.patch(
        written.map((index) => [index, captured.sector(index)] as const),
        captured.size === file.clean.size ? file.durable.size : captured.size,
      ),
    };
  }
  // Sectors that were written again after the sync began are dirty anew and stay.
  const reverted = dirty.filter((index) => file.cache.sector(index) === captured.sector(index));
  const cache = file.cache.patch(
    reverted.map((index) => [index, file.durable.sector(index)] as const),
    file.cache.size === captured.size ? file.durable.size : file.cache.size,
  );
  return { ...file, cache };
}
