/**
 * Shared memory that lies by itself in the address space: the memory of a `WebAssembly.Memory`, which V8
 * surrounds with pages that nobody may touch.
 *
 * Two things need that. A file can be mapped over it, since no allocator has other data on its pages. And the
 * system can fork: Linux joins neighbouring buffers into one area, and refuses (ENOMEM) to copy an area
 * larger than the memory of the machine, touched or not. 25 plain buffers of 1 GiB, none of them touched, end
 * every `spawn` on a machine of 24 GiB.
 */

export const WASM_PAGE_BYTES = 65_536;

/** The part of `WebAssembly` used here: Node's types do not have it. */
interface Wasm {
  readonly Memory: new (descriptor: {
    initial: number;
    maximum: number;
    shared: boolean;
  }) => { readonly buffer: SharedArrayBuffer };
}

/**
 * At least `bytes` bytes of zeros, whole pages. `undefined` where there is no such memory, or the system refuses so
 * much address space.
 */
export function separateMemory(bytes: number): SharedArrayBuffer | undefined {
  const wasm = (globalThis as { WebAssembly?: Wasm }).WebAssembly;
  if (wasm === undefined) return undefined;
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
  try {
    return new wasm.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
