/**
 * An image of a store as the bytes of a snapshot: runs of effects (`effects/format.ts`), each
 * behind its length. The first run is the map of databases.
 *
 *     +------------+---------+------------+---------+ ...
 *     | length u32 | effects | length u32 | effects |
 *     +------------+---------+------------+---------+ ...
 *
 * A snapshot cuts the stream where it likes; the lengths put the runs together again.
 */
import { FormatError } from '@nendb/codec';
import type { Timers } from '@nendb/vfs';
import type { Databases } from './effects/databases.js';
import { EffectWriter } from './effects/writer.js';
import { IMAGE_CHUNK_BYTES_MAX, IMAGE_STEP_BYTES } from './limits.js';
import type { StoreImage } from './stores/store.js';

const LENGTH_BYTES = 4;

/** The map of databases as a run of effects. */
export function encodeDatabases(databases: Databases): Buffer {
  const writer = new EffectWriter(IMAGE_STEP_BYTES);
  writer.databases(databases.namespaces, databases.nextNamespace);
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}

/** Streams an image, one bounded step a turn of the event loop, so that commands run in between. */
export async function* streamImage(
  databases: Buffer,
  image: StoreImage,
  timers: Timers,
): AsyncGenerator<Uint8Array> {
  yield framed(databases);
  for (;;) {
    const run = image.next(IMAGE_STEP_BYTES);
    if (!run) return;
    if (run.length > 0) yield framed(run);
    await new Promise<void>((resolve) => timers.turnEnd(resolve));
  }
}

/** Puts the runs of a stream together again. Throws `FormatError` where it ends inside one. */
export async function* runsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let gathered = 0;
  let wanted = LENGTH_BYTES;
  let inLength = true;
  for await (const chunk of chunks) {
    parts.push(chunk);
    gathered += chunk.length;
    while (gathered >= wanted) {
      const bytes = parts.length === 1 ? asBuffer(parts[0]) : Buffer.concat(parts);
      const whole = bytes.subarray(0, wanted);
      parts = [bytes.subarray(wanted)];
      gathered -= wanted;
      if (inLength) {
        wanted = whole.readUInt32LE(0);
        if (wanted === 0 || wanted > IMAGE_CHUNK_BYTES_MAX) {
          throw new FormatError(
            'FORMAT_BAD_VALUE',
            `expected a run of 1 to ${IMAGE_CHUNK_BYTES_MAX} bytes in the image, got ${wanted}`,
          );
        }
      } else {
        yield whole;
        wanted = LENGTH_BYTES;
      }
      inLength = !inLength;
    }
  }
  if (gathered > 0 || !inLength) {
    throw new FormatError(
      'FORMAT_TRUNCATED',
      `expected ${wanted} more bytes of the image, got ${gathered}`,
    );
  }
}

function framed(run: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafeSlow(LENGTH_BYTES + run.length);
  bytes.writeUInt32LE(run.length, 0);
  bytes.set(run, LENGTH_BYTES);
  return bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
