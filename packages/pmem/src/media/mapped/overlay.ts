/**
 * Memory of a file as typed arrays.
 *
 *     shared     WebAssembly.Memory({ shared }) ─▶ its address ─▶ mmap(address, MAP_FIXED, file) over it
 *     unshared   mmap(file) ─▶ an ArrayBuffer over it
 *
 * The first gives a SharedArrayBuffer that other threads attach to without calling into C. It leans on
 * what V8 does not promise (the memory of a WebAssembly.Memory is pages of its own, never moved), so
 * each mapping is tested through the file, and the second takes its place where the test fails. Only
 * memory of WebAssembly will do: other buffers share pages with the allocator's.
 */
import { MemoryWindow } from '../../window.js';
import { separateMemory } from '../separate-memory.js';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, type Native } from './native.js';

/** A mapped part of a file. */
export interface Mapping {
  readonly address: number;
  readonly bytes: number;
  readonly window: MemoryWindow;
  /** `undefined` where other threads cannot have it. */
  readonly buffer: SharedArrayBuffer | undefined;
}

/**
 * Maps `bytes` bytes of the open file from `from`; `flags` say how (`MAP_SHARED`, ...). `undefined`
 * where there is no such memory.
 */
export function mapShared(
  native: Native,
  fd: number,
  from: number,
  bytes: number,
  flags: number,
): Mapping | undefined {
  const buffer = separateMemory(bytes);
  if (buffer === undefined) return undefined;
  const window = new MemoryWindow(buffer, 0, bytes);
  const address = native.addressOf(window.u8);
  native.map(address, bytes, flags | MAP_FIXED, fd, from);
  return { address, bytes, window, buffer };
}

export function mapUnshared(
  native: Native,
  fd: number,
  from: number,
  bytes: number,
  flags: number,
): Mapping {
  const address = native.map(0, bytes, flags, fd, from);
  const buffer = native.koffi.view(BigInt(address), bytes);
  return { address, bytes, window: new MemoryWindow(buffer, 0, bytes), buffer: undefined };
}

/**
 * Puts zero pages of nobody's in the place of the file: what still holds the window reads zeros and
 * stores into nothing. The address range stays taken, since somebody may still look at it.
 */
export function unmap(native: Native, { address, bytes }: Mapping): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  native.map(address, bytes, flags, -1, 0);
}
