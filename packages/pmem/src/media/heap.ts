/**
 * Memory of the process: shared memory, one buffer a window. The system gives its pages at the first
 * touch, so a region costs what it uses; V8 does not count them as pressure on its collector (32 GiB
 * reserved: 0.3 ms, no resident memory, `external` unchanged).
 */
import { PmemError } from '../errors.js';
import { WINDOW_BYTES_MAX } from '../limits.js';
import type { RegionCaps } from '../types.js';
import { MemoryWindow } from '../window.js';
import type { Medium } from './medium.js';
import { separateMemory, WASM_PAGE_BYTES } from './separate-memory.js';

/** Windows from here on lie apart, so that many of them do not keep the process from forking. */
const SEPARATE_BYTES_MIN = 16 * 1024 * 1024;

export class HeapMedium implements Medium {
  readonly backend = 'heap';
  readonly caps: RegionCaps = { durable: 'none', granularityBytes: 64, shared: true };
  readonly flushes = false;
  readonly boot = '';
  readonly created = true;
  readonly windows: readonly MemoryWindow[];
  readonly #buffers: readonly SharedArrayBuffer[];

  constructor(readonly bytesMax: number) {
    this.#buffers = sharedBuffers(bytesMax);
    this.windows = this.#buffers.map((buffer) => new MemoryWindow(buffer, 0, buffer.byteLength));
  }

  reserve(): void {}
  flush(): void {}
  drain(): void {}
  writeThrough(): void {}

  buffers(): readonly SharedArrayBuffer[] {
    return this.#buffers;
  }

  async close(): Promise<void> {}
}

/** Buffers for `bytesMax` bytes, a window each. Throws `PMEM_EXHAUSTED` where the system refuses. */
export function sharedBuffers(bytesMax: number): SharedArrayBuffer[] {
  const buffers: SharedArrayBuffer[] = [];
  for (let at = 0; at < bytesMax; at += WINDOW_BYTES_MAX) {
    const bytes = Math.min(WINDOW_BYTES_MAX, bytesMax - at);
    try {
      buffers.push(sharedBuffer(bytes));
    } catch (cause) {
      throw new PmemError(
        'PMEM_EXHAUSTED',
        `expected address space for ${bytesMax} bytes, got ${at} bytes of it: lower bytesMax or raise the limit (ulimit -v)`,
        { cause },
      );
    }
  }
  return buffers;
}

function sharedBuffer(bytes: number): SharedArrayBuffer {
  const whole = bytes >= SEPARATE_BYTES_MIN && bytes % WASM_PAGE_BYTES === 0;
  return (whole ? separateMemory(bytes) : undefined) ?? new SharedArrayBuffer(bytes);
}
