/**
 * What was stored to one cache line and is not durable yet, in program order.
 *
 * A store is four numbers: byte in the line, length (1 to 8), and its bytes as two words.
 */
const STORE_WORDS = 4;

export class LineLog {
  readonly #stores: number[] = [];
  /** Stores from the front that a flush covers. */
  flushed = 0;

  get length(): number {
    return this.#stores.length / STORE_WORDS;
  }

  push(at: number, bytes: number, low: number, high: number): void {
    this.#stores.push(at, bytes, low, high);
  }

  /** Does the first `count` stores to the line that begins at `base` of `target`. */
  apply(target: DataView, base: number, count: number): void {
    const stores = this.#stores;
    for (let i = 0; i < count * STORE_WORDS; i += STORE_WORDS) {
      const at = base + stores[i];
      const bytes = stores[i + 1];
      if (bytes === 4) target.setInt32(at, stores[i + 2], true);
      else if (bytes === 8) {
        target.setInt32(at, stores[i + 2], true);
        target.setInt32(at + 4, stores[i + 3], true);
      } else {
        for (let byte = 0; byte < bytes; byte++) {
          target.setUint8(at + byte, stores[i + 2 + (byte >>> 2)] >>> ((byte & 3) * 8));
        }
      }
    }
  }

  /** Forgets the first `count` stores: they are durable. */
  drop(count: number): void {
    this.#stores.splice(0, count * STORE_WORDS);
    this.flushed -= count;
  }
}
