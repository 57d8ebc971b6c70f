/**
 * The few functions of the C library that mapping takes, called through `koffi`, which is optional.
 *
 * Addresses are plain numbers: user space ends at 2^47 or so. Constants are Linux's, the same on
 * x86-64, arm64, riscv64 and loong64.
 */
import { createRequire } from 'node:module';
import { PmemError } from '../../errors.js';

export const PROT_READ_WRITE = 0x3;
export const MAP_SHARED = 0x1;
export const MAP_PRIVATE = 0x2;
export const MAP_SHARED_VALIDATE = 0x3;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MAP_SYNC = 0x80000;

const O_RDWR_CLOEXEC = 0x80002;
const MS_SYNC = 0x4;
const AT_EMPTY_PATH = 0x1000;
const STATX_BLOCKS = 0x400;
/** struct statx is the same everywhere: 256 bytes, the blocks of 512 bytes at 48. */
const STATX_BYTES = 256;
const STATX_BLOCKS_OFFSET = 48;
const STATX_BLOCK_BYTES = 512;
const ARCHITECTURES = ['x64', 'arm64', 'riscv64', 'loong64'];

/** What of koffi is used. */
export interface Koffi {
  load(path: string | null): { func(definition: string): (...args: unknown[]) => unknown };
  address(buffer: Uint8Array): bigint;
  view(address: bigint, bytes: number): ArrayBuffer;
  errno(): number;
  readonly os: { readonly errno: Readonly<Record<string, number>> };
}

/** Errors of system calls carry their errno name. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  constructor(
    readonly syscall: string,
    readonly code: string,
  ) {
    super(`${syscall} failed with ${code}`);
  }
}

export class Native {
  readonly koffi: Koffi;
  readonly #open: (path: string, flags: number) => number;
  readonly #close: (fd: number) => number;
  readonly #fallocate: (fd: number, from: number, bytes: number) => number;
  readonly #mmap: (
    address: number,
    bytes: number,
    protection: number,
    flags: number,
    fd: number,
    from: number,
  ) => number | bigint;
  readonly #statx:
    | ((fd: number, path: string, flags: number, mask: number, into: Uint8Array) => number)
    | undefined;
  readonly #msync: (address: number, bytes: number, flags: number) => number;

  constructor(koffi: Koffi) {
    this.koffi = koffi;
    const libc = koffi.load(null);
    const func = <T>(definition: string): T => libc.func(definition) as T;
    this.#open = func('int open(const char *path, int flags)');
    this.#close = func('int close(int fd)');
    this.#fallocate = func('int posix_fallocate(int fd, int64_t from, int64_t bytes)');
    this.#mmap = func(
      'int64_t mmap(int64_t address, size_t bytes, int protection, int flags, int fd, int64_t from)',
    );
    this.#statx = optional(() =>
      func('int statx(int fd, const char *path, int flags, uint32_t mask, void *into)'),
    );
    this.#msync = func('int msync(int64_t address, size_t bytes, int flags)');
  }

  /** A descriptor for reading and writing `path`. */
  open(path: string): number {
    const fd = this.#open(path, O_RDWR_CLOEXEC);
    if (fd < 0) throw this.#failure('open');
    return fd;
  }

  close(fd: number): void {
    this.#close(fd);
  }

  /** Takes disk space for `[from, from + bytes)` of the file. */
  allocate(fd: number, from: number, bytes: number): void {
    const errno = this.#fallocate(fd, from, bytes);
    if (errno !== 0) throw new NativeError('posix_fallocate', this.#errnoName(errno));
  }

  /** Bytes of disk space that the file has; 0 where the system does not say. */
  allocatedBytes(fd: number): number {
    const stat = Buffer.alloc(STATX_BYTES);
    if (this.#statx?.(fd, '', AT_EMPTY_PATH, STATX_BLOCKS, stat) !== 0) return 0;
    return Number(stat.readBigUInt64LE(STATX_BLOCKS_OFFSET)) * STATX_BLOCK_BYTES;
  }

  /** Maps; `address` 0 lets the kernel choose. Returns the address. */
  map(address: number, bytes: number, flags: number, fd: number, from: number): number {
    const at = Number(this.#mmap(address, bytes, PROT_READ_WRITE, flags, fd, from));
    if (at === -1) throw this.#failure('mmap');
    return at;
  }

  /** Writes dirty pages back and waits; `address` is a multiple of the page. */
  sync(address: number, bytes: number): void {
    if (this.#msync(address, bytes, MS_SYNC) !== 0) throw this.#failure('msync');
  }

  /** Where the memory of `view` is. */
  addressOf(view: Uint8Array): number {
    return Number(this.koffi.address(view));
  }

  #failure(syscall: string): NativeError {
    return new NativeError(syscall, this.#errnoName(this.koffi.errno()));
  }

  #errnoName(errno: number): string {
    const known = Object.entries(this.koffi.os.errno).find(([, number]) => number === errno);
    return known?.[0] ?? `errno ${errno}`;
  }
}

/** A function that older C libraries lack. */
function optional<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

let loaded: Native | undefined;

/** The functions; throws `PMEM_BACKEND_UNAVAILABLE` where koffi or the platform is missing. */
export function loadNative(load: () => unknown = requireKoffi): Native {
  if (loaded !== undefined && load === requireKoffi) return loaded;
  if (process.platform !== 'linux' || !ARCHITECTURES.includes(process.arch)) {
    throw new PmemError(
      'PMEM_BACKEND_UNAVAILABLE',
      `expected Linux on ${ARCHITECTURES.join(', ')} for mapped regions, got ${process.platform} on ${process.arch}: use the backend heap or file`,
    );
  }
  let koffi: Koffi;
  try {
    koffi = load() as Koffi;
  } catch (cause) {
    throw new PmemError(
      'PMEM_BACKEND_UNAVAILABLE',
      "expected the package koffi for mapped regions, and could not load it: install it beside @nendb/pmem ('npm install koffi'), or use the backend heap or file",
      { cause },
    );
  }
  const native = new Native(koffi);
  if (load === requireKoffi) loaded = native;
  return native;
}

function requireKoffi(): unknown {
  return createRequire(import.meta.url)('koffi');
}
