/**
 * Cuts chunks of any size into blocks: every block full but the last.
 *
 * A block is a buffer of its own, so that it can be transferred to the writer thread: room for the
 * block header first, then payload. Chunks are copied and belong to the caller again at once.
 */
import { SnapshotError } from './errors.js';
import { BLOCK_HEADER_BYTES } from './format.js';

/** Yields blocks with up to `payloadBytesMax` of payload; aborting `signal` throws `SNAPSHOT_ABORTED` even while a chunk is awaited. */
export async function* blocksOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  payloadBytesMax: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const iterator =
    Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  const blockBytes = BLOCK_HEADER_BYTES + payloadBytesMax;
  let block = new Uint8Array(blockBytes);
  let used = BLOCK_HEADER_BYTES;
  // Whether `return` is owed: not while `next` is under way, nor after it has ended or thrown.
  let idle = false;
  try {
    for (;;) {
      idle = false;
      const step = iterator.next();
      const { done, value } = step instanceof Promise ? await untilAborted(step, signal) : step;
      if (done) break;
      idle = true;
      if (!(value instanceof Uint8Array)) {
        throw new SnapshotError(
          'SNAPSHOT_BAD_OPTION',
          `expected chunks of bytes (Uint8Array), got ${typeof value}: encode them first`,
        );
      }
      for (let from = 0; from < value.length; ) {
        const count = Math.min(value.length - from, block.length - used);
        block.set(value.subarray(from, from + count), used);
        used += count;
        from += count;
        if (used === block.length) {
          yield block;
          block = new Uint8Array(blockBytes);
          used = BLOCK_HEADER_BYTES;
        }
      }
    }
    if (used > BLOCK_HEADER_BYTES) yield block.subarray(0, used);
  } catch (error) {
    // A source that hangs is not waited for: its `return` runs when it comes to it.
    if (!idle && signal?.aborted) void ended(iterator);
    throw error;
  } finally {
    if (idle) await iterator.return?.();
  }
}

/** `work`, or `SNAPSHOT_ABORTED` as soon as `signal` is aborted. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return work;
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(aborted(signal));
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Throws `SNAPSHOT_ABORTED` once `signal` is aborted. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

function aborted(signal: AbortSignal): SnapshotError {
  return new SnapshotError(
    'SNAPSHOT_ABORTED',
    'expected the image to be completed, but it was aborted: the older images are as they were',
    { cause: signal.reason },
  );
}

async function ended(iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The image is given up already.
  }
}
