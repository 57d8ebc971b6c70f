/** Small images for tests: what they hold, how they are written, and what loading finds. */
import { lsn } from '@nendb/codec';
import {
  Snapshot,
  SnapshotError,
  type SnapshotImage,
  type SnapshotLoadOptions,
  type SnapshotWriteOptions,
} from '@nendb/snapshot';
import { readFully, type Vfs, writeFully } from '@nendb/vfs';

export const DIR = '/data';
export const NEWEST = '/data/nendb.snapshot';
export const BAK = '/data/nendb.snapshot.bak';
export const uuid = Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i);
export const otherUuid = Uint8Array.from({ length: 16 }, (_, i) => 0x80 + i);

/** The contents of image `n`: they differ in every byte from those of its neighbours. */
export function contents(n: number, bytes = 40): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (n * 37 + i * 11) & 0xff));
}

export function header(n: number) {
  return { lsn: lsn(n * 10), epoch: 1, uuid, databaseTimeMs: 1_000_000 + n };
}

/** Writes image `n`. */
export function write(vfs: Vfs, n: number, options: Partial<SnapshotWriteOptions> = {}) {
  return Snapshot.write(DIR, { ...header(n), chunks: [contents(n)], vfs, ...options });
}

export async function bytesOf(image: SnapshotImage): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of image.chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** The number of the image that loading finds, compared byte by byte; 0 where there is none. */
export async function loadedNumber(
  vfs: Vfs,
  bytes?: number,
  options: SnapshotLoadOptions = {},
): Promise<number> {
  const image = await Snapshot.load(DIR, { vfs, uuid, ...options });
  if (image === undefined) return 0;
  const n = image.header.lsn / 10;
  const found = await bytesOf(image);
  if (!found.equals(contents(n, bytes))) throw new Error(`image ${n} holds other bytes`);
  return n;
}

/** The code of the `SnapshotError` that `work` rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await refusal(work)).code;
}

export async function refusal(work: Promise<unknown>): Promise<SnapshotError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SnapshotError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

export async function readFile(vfs: Vfs, path: string): Promise<Uint8Array> {
  const file = await vfs.open(path, 'read');
  const bytes = new Uint8Array(await file.size());
  await readFully(file, bytes, 0);
  await file.close();
  return bytes;
}

/** Makes the file hold exactly `bytes`, durably. */
export async function putFile(vfs: Vfs, path: string, bytes: Uint8Array): Promise<void> {
  const exists = (await vfs.stat(path)) !== undefined;
  const file = await vfs.open(path, exists ? 'write' : 'create');
  await file.truncate(0);
  await writeFully(file, bytes, 0);
  await file.sync();
  await file.close();
  await vfs.syncDir(DIR);
}
