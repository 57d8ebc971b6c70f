/**
 * 512 bytes that a disk writes whole or not at all. Immutable: a write makes a new one, so that
 * comparing references tells whether a sector changed, and history shares what did not.
 */
export const SECTOR_BYTES = 512;

export class Sector {
  #low = 0;
  #high = 0;
  #digested = false;

  constructor(
    /** Exactly `SECTOR_BYTES`, never changed. */
    readonly bytes: Uint8Array,
  ) {}

  /** Two 32-bit halves of a content hash, computed once: `mix` takes both. */
  digest(mix: (low: number, high: number) => void): void {
    if (!this.#digested) {
      const words = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, SECTOR_BYTES / 4);
      let low = 0x811c9dc5;
      let high = 0x2545f491;
      for (let i = 0; i < words.length; i++) {
        low = Math.imul(low ^ words[i], 0x01000193);
        low ^= low >>> 15;
        high = Math.imul(high + words[i], 0x9e3779b1);
        high ^= high >>> 13;
      }
      this.#low = low;
      this.#high = high;
      this.#digested = true;
    }
    mix(this.#low, this.#high);
  }
}

/** The one sector of written zeros. A hole is `undefined`: it was never written. */
export const ZERO_SECTOR = new Sector(new Uint8Array(SECTOR_BYTES));

const ZEROS = Buffer.alloc(SECTOR_BYTES);

/** The sector that holds `bytes`, which it takes over. */
export function sectorOf(bytes: Uint8Array): Sector {
  return ZEROS.compare(bytes) === 0 ? ZERO_SECTOR : new Sector(bytes);
}
