/**
 * A tiny durable list of texts, correct by the rules that every package here obeys: the smallest
 * program that uses sync, directory sync, rename and acknowledgement.
 *
 *     MANIFEST   the name of the log, put in place by replaceFile
 *     log-<n>    records: length (u32), CRC-32 (u32), text
 *
 * `rotate` copies all records to the next log, makes it durable, and only then points MANIFEST to it.
 */
import { crc32 } from 'node:zlib';
import { errorCode, replaceFile, type Vfs, type VfsFile, writeFully } from '@nendb/vfs';

const HEADER_BYTES = 8;

export class RecordLog {
  #poisoned: unknown;

  private constructor(
    private readonly vfs: Vfs,
    private readonly dir: string,
    private number: number,
    private file: VfsFile,
    private end: number,
    readonly records: string[],
  ) {}

  static async open(vfs: Vfs, dir: string): Promise<RecordLog> {
    await vfs.mkdir(dir);
    await vfs.syncDir('/');
    const manifest = await readAll(vfs, `${dir}/MANIFEST`);
    const number = manifest === undefined ? 0 : Number(manifest.toString());
    const bytes =
      manifest === undefined ? Buffer.alloc(0) : await readAll(vfs, `${dir}/log-${number}`);
    if (bytes === undefined) throw new Error(`log-${number} is named and missing`);
    const records = parse(bytes);
    // What the old log shows may be cached only: it is copied and synced before it is served.
    const next = await makeLog(vfs, dir, number + 1, records);
    return new RecordLog(vfs, dir, number + 1, next.file, next.end, records);
  }

  /** Resolves when the text is durable. */
  async append(text: string): Promise<void> {
    if (this.#poisoned !== undefined) throw this.#poisoned;
    const record = encode(text);
    try {
      await writeFully(this.file, record, this.end);
      await this.file.sync({ dataOnly: true });
    } catch (error) {
      this.#poisoned = error;
      throw error;
    }
    this.end += record.length;
    this.records.push(text);
  }

  async rotate(): Promise<void> {
    const next = await makeLog(this.vfs, this.dir, this.number + 1, this.records);
    await this.file.close();
    await this.vfs.unlink(`${this.dir}/log-${this.number}`);
    this.file = next.file;
    this.end = next.end;
    this.number++;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function makeLog(
  vfs: Vfs,
  dir: string,
  number: number,
  records: readonly string[],
): Promise<{ file: VfsFile; end: number }> {
  const path = `${dir}/log-${number}`;
  // A crash may have left a file of this name that no manifest ever named.
  await vfs.unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  const file = await vfs.open(path, 'create');
  try {
    const bytes = Buffer.concat(records.map(encode));
    await writeFully(file, bytes, 0);
    await file.sync();
    await vfs.syncDir(dir);
    await replaceFile(vfs, `${dir}/MANIFEST`, Buffer.from(String(number)));
    return { file, end: bytes.length };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function encode(text: string): Buffer {
  const payload = Buffer.from(text);
  const record = Buffer.alloc(HEADER_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(crc32(payload), 4);
  payload.copy(record, HEADER_BYTES);
  return record;
}

function parse(bytes: Buffer): string[] {
  const records: string[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const payload = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (length === 0 || payload.length < length || crc32(payload) !== bytes.readUInt32LE(at + 4)) {
      break;
    }
    records.push(payload.toString());
    at += HEADER_BYTES + length;
  }
  return records;
}

async function readAll(vfs: Vfs, path: string): Promise<Buffer | undefined> {
  if ((await vfs.stat(path)) === undefined) return undefined;
  const file = await vfs.open(path, 'read');
  const bytes = Buffer.alloc(await file.size());
  await file.readAt(bytes, 0);
  await file.close();
  return bytes;
}
