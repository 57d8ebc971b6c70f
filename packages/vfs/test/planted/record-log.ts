/**
 * A tiny durable list of texts, correct by the rules that every package here obeys: the smallest
 * program that uses sync, directory sync, rename, checksums and acknowledgement.
 *
 *     MANIFEST   the number of the log, put in place by replaceFile
 *     log-<n>    records
 *
 * `rotate` copies all records to the next log, makes it durable, and only then points MANIFEST to it.
 * Planted bugs are subclasses that do one step wrong.
 */
import { errorCode, replaceFile, type Vfs, type VfsFile, writeFully } from '@nendb/vfs';
import { encodeRecord, LogDamagedError, RecordDecoder } from './record-format.js';

export class RecordLog {
  readonly records: string[] = [];
  protected number = 0;
  protected end = 0;
  #file: VfsFile | undefined;
  #poison: unknown;

  constructor(
    protected readonly vfs: Vfs,
    protected readonly dir: string,
  ) {}

  static async open(vfs: Vfs, dir: string): Promise<RecordLog> {
    const log = new this(vfs, dir);
    await vfs.mkdir(dir);
    await vfs.syncDir('/');
    const number = await log.current();
    if (number !== undefined) {
      const bytes = await readAll(vfs, log.path(number));
      if (bytes === undefined) throw new LogDamagedError(`log-${number} is named and missing`);
      log.records.push(...log.decoder(bytes, number).decode());
      log.number = number;
    }
    await log.adopt();
    return log;
  }

  /** Where the records are now. */
  get currentPath(): string {
    return this.path(this.number);
  }

  /** Resolves when the text is durable. */
  async append(text: string): Promise<void> {
    if (this.#poison !== undefined) throw this.#poison;
    const record = encodeRecord(text, this.records.length + 1, this.number);
    try {
      await writeFully(this.file, record, this.end);
      await this.file.sync({ dataOnly: true });
    } catch (error) {
      this.failed(error, record.length);
      throw error;
    }
    this.end += record.length;
    this.records.push(text);
  }

  async rotate(): Promise<void> {
    const [old, path] = [this.file, this.currentPath];
    await this.makeNext();
    await old.close();
    await this.vfs.unlink(path);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  protected get file(): VfsFile {
    if (this.#file === undefined) throw new Error('expected an open log, got a closed one');
    return this.#file;
  }

  protected path(number: number): string {
    return `${this.dir}/log-${number}`;
  }

  /** The number of the log that holds the records; `undefined` where there is none yet. */
  protected async current(): Promise<number | undefined> {
    const manifest = await readAll(this.vfs, `${this.dir}/MANIFEST`);
    return manifest === undefined ? undefined : Number(manifest.toString());
  }

  protected decoder(bytes: Buffer, number: number): RecordDecoder {
    return new RecordDecoder(bytes, number);
  }

  /** What the old log shows may be cached only: it is copied and synced before it is served. */
  protected adopt(): Promise<void> {
    return this.makeNext();
  }

  /** An append failed: what is on disk is unknown, so nothing more is written there. */
  protected failed(error: unknown, _bytes: number): void {
    this.#poison = error;
  }

  protected use(file: VfsFile, number: number, end: number): void {
    this.#file = file;
    this.number = number;
    this.end = end;
  }

  protected async makeNext(): Promise<void> {
    const number = this.number + 1;
    // A crash may have left a file of this name that no manifest ever named.
    await this.vfs.unlink(this.path(number)).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
    const file = await this.vfs.open(this.path(number), 'create');
    try {
      const bytes = this.encoded(number);
      await writeFully(file, bytes, 0);
      await file.sync();
      await this.vfs.syncDir(this.dir);
      await replaceFile(this.vfs, `${this.dir}/MANIFEST`, Buffer.from(String(number)));
      this.use(file, number, bytes.length);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  protected encoded(number: number): Buffer {
    return Buffer.concat(this.records.map((text, i) => encodeRecord(text, i + 1, number)));
  }
}

async function readAll(vfs: Vfs, path: string): Promise<Buffer | undefined> {
  if ((await vfs.stat(path)) === undefined) return undefined;
  const file = await vfs.open(path, 'read');
  const bytes = Buffer.alloc(await file.size());
  await file.readAt(bytes, 0);
  await file.close();
  return bytes;
}
