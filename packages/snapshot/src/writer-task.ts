/**
 * The writer's half on a worker thread: bulk reads, checksums, writes and syncs happen here, with
 * synchronous calls, so that neither the core thread nor the thread pool that the log syncs in is
 * disturbed.
 *
 * Concurrency: one task writes one image; its calls come one after the other.
 */
import { joinPath, type Vfs } from '@nendb/vfs';
import { temporaryFile } from './format.js';
import { type Depth, type Examination, examineSync } from './image-reader.js';
import { ImageWriter } from './image-writer.js';
import type { SnapshotHeader, SnapshotRole } from './types.js';

export interface WriterInit {
  dir: string;
  header: SnapshotHeader;
  /** 16 bytes, new. */
  imageUuid: Uint8Array;
}

/** What the task does; `write.ts` calls these by name. */
export interface WriterMethods {
  examine(input: { role: SnapshotRole; depth: Depth }): Examination | undefined;
  /** Creates the temporary file. */
  begin(): void;
  /** Writes one block: room for a block header, then payload. */
  block(block: Uint8Array): void;
  /** Completes and syncs the image; returns the bytes of the file. */
  finish(): number;
  /** Closes the file where it is open. */
  abandon(): void;
}

export default function makeWriter({ dir, header, imageUuid }: WriterInit, vfs: Vfs) {
  let writer: ImageWriter | undefined;
  const started = (): ImageWriter => {
    if (writer === undefined) throw new Error('expected `begin` before this call, got none');
    return writer;
  };
  return {
    examine: ({ role, depth }) => examineSync(vfs, dir, role, depth),
    begin() {
      writer = new ImageWriter(vfs, joinPath(dir, temporaryFile(imageUuid)), header, imageUuid);
    },
    block: (block) => started().writeBlock(block),
    finish() {
      const fileBytes = started().finish();
      writer = undefined;
      return fileBytes;
    },
    abandon() {
      writer?.abandon();
      writer = undefined;
    },
  } satisfies WriterMethods;
}
