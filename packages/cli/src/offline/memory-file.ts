/** A file in memory behind the `VfsFile` interface; the asynchronous half answers at once. */
import type { VfsFile } from '@nendb/vfs';

const CAPACITY_BYTES_MIN = 4096;

/** The bytes of one file, shared by all that have it open. */
export class MemoryContent {
  #bytes: Buffer;
  #size: number;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  read(target: Uint8Array, position: number): number {
    const end = Math.min(this.#size, position + target.length);
    if (end <= position) return 0;
    target.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  write(source: Uint8Array, position: number): number {
    if (source.length === 0) return 0;
    this.resize(Math.max(this.#size, position + source.length));
    this.#bytes.set(source, position);
    return source.length;
  }

  /** Bytes beyond the old size are zeros. */
  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(size, this.#bytes.length * 2, CAPACITY_BYTES_MIN));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }
}

export class MemoryFile implements VfsFile {
  constructor(
    readonly path: string,
    private readonly content: MemoryContent,
  ) {}

  async readAt(target: Uint8Array, position: number): Promise<number> {
    return this.content.read(target, position);
  }

  readAtSync(target: Uint8Array, position: number): number {
    return this.content.read(target, position);
  }

  async writeAt(source: Uint8Array, position: number): Promise<number> {
    return this.content.write(source, position);
  }

  writeAtSync(source: Uint8Array, position: number): number {
    return this.content.write(source, position);
  }

  async truncate(length: number): Promise<void> {
    this.content.resize(length);
  }

  truncateSync(length: number): void {
    this.content.resize(length);
  }

  /** Memory needs none. */
  async sync(): Promise<void> {}

  /** Memory needs none. */
  syncSync(): void {}

  async size(): Promise<number> {
    return this.content.size;
  }

  sizeSync(): number {
    return this.content.size;
  }

  async close(): Promise<void> {}

  closeSync(): void {}
}
