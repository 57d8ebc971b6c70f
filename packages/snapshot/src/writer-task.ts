/**
 * The writer's half on a worker thread: bulk reads, compression, encryption, checksums, writes and
 * syncs happen here, with synchronous calls, so that neither the core thread nor the thread pool
 * that the log syncs in is disturbed.
 *
 * Concurrency: one task writes one image; its calls come one after the other.
 */
import { joinPath, type Vfs } from '@nendb/vfs';
import { temporaryFile } from './format.js';
import { type Depth, type Examination, examineSync } from './image-reader.js';
import { type ImagePlan, ImageWriter } from './image-writer.js';
import type { ImagePlace } from './places.js';

export interface WriterInit {
  dir: string;
  plan: ImagePlan;
}

/** What the task does; `write.ts` calls these by name. */
export interface WriterMethods {
  /** Judges an old image by its checksums; keys are not needed for that. */
  examine(input: { place: ImagePlace; depth: Depth }): Examination | undefined;
  /** Creates the temporary file. */
  begin(): void;
  /** Writes one block: room for a block header, then payload. */
  block(block: Uint8Array): void;
  /** Completes and syncs the image; returns the bytes of the file. */
  finish(): number;
  /** Closes the file where it is open. */
  abandon(): void;
}

export default function makeWriter({ dir, plan }: WriterInit, vfs: Vfs) {
  let writer: ImageWriter | undefined;
  const started = (): ImageWriter => {
    if (writer === undefined) throw new Error('expected `begin` before this call, got none');
    return writer;
  };
  return {
    examine: ({ place, depth }) => examineSync(vfs, dir, place, { depth, payload: false }),
    begin() {
      try {
        writer = new ImageWriter(vfs, joinPath(dir, temporaryFile(plan.imageUuid)), plan);
      } finally {
        plan.key?.fileKey.fill(0);
      }
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
