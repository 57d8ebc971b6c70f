/** Damages a file byte by byte: what every reader has to notice. */
import type { SimVfs } from '@nendb/vfs/sim';
import { expect } from 'vitest';
import { LsmError } from '../src/errors.js';

function bytesOf(vfs: SimVfs, path: string): Uint8Array {
  const file = vfs.openSync(path, 'read');
  const bytes = new Uint8Array(file.sizeSync());
  file.readAtSync(bytes, 0);
  file.closeSync();
  return bytes;
}

function overwrite(vfs: SimVfs, path: string, bytes: Uint8Array, at: number): void {
  const file = vfs.openSync(path, 'write');
  file.writeAtSync(bytes, at);
  file.closeSync();
}

function refusal(read: () => void): unknown {
  try {
    read();
  } catch (error) {
    return error;
  }
  return undefined;
}

/**
 * Flips a bit of every byte of the file, another bit each time round, and expects `read` to refuse it as
 * damaged, at an offset at or before the byte. The file is whole again afterwards.
 */
export function expectEveryFlipFound(vfs: SimVfs, path: string, read: () => void): void {
  const bytes = bytesOf(vfs, path);
  for (const [at, byte] of bytes.entries()) {
    overwrite(vfs, path, Uint8Array.of(byte ^ (1 << (at % 8))), at);
    const error = refusal(read);
    expect(error, `byte ${at}`).toBeInstanceOf(LsmError);
    const { code, file, offset } = error as LsmError;
    expect({ code, file }, `byte ${at}`).toEqual({ code: 'LSM_CORRUPT', file: path });
    expect(offset, `byte ${at}`).toBeLessThanOrEqual(at);
    overwrite(vfs, path, Uint8Array.of(byte), at);
  }
  read();
}

/** Cuts the file at every length, and lengthens it, and expects `read` to refuse each. */
export function expectEveryLengthFound(vfs: SimVfs, path: string, read: () => void): void {
  const bytes = bytesOf(vfs, path);
  const expectCorrupt = (what: string) =>
    expect(refusal(read), what).toMatchObject({ code: 'LSM_CORRUPT', file: path });
  overwrite(vfs, path, new Uint8Array(1), bytes.length);
  expectCorrupt('a byte more');
  for (let length = bytes.length - 1; length >= 0; length--) {
    const file = vfs.openSync(path, 'write');
    file.truncateSync(length);
    file.closeSync();
    expectCorrupt(`${length} bytes`);
  }
  overwrite(vfs, path, bytes, 0);
  read();
}
