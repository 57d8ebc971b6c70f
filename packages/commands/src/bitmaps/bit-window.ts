/**
 * Bits of a string under change: reads see what was written, the string itself is left alone until the
 * changes are staged. What is kept are the changed bytes, however long the string and far apart they
 * are.
 */
import type { Call } from '../dispatch/call.js';

export class BitWindow {
  readonly #bytes: Uint8Array;
  readonly #changed = new Map<number, number>();

  /** `bytes` is borrowed, until `stage`. Behind its end there are zeros. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The `bits` bits from bit `offset` on as an unsigned integer. */
  read(offset: number, bits: number): bigint {
    const first = Math.floor(offset / 8);
    const last = Math.floor((offset + bits - 1) / 8);
    let value = 0n;
    for (let at = first; at <= last; at++) value = (value << 8n) | BigInt(this.#byteAt(at));
    const behind = (last + 1) * 8 - (offset + bits);
    return BigInt.asUintN(bits, value >> BigInt(behind));
  }

  /** Puts `value`, which has no more than `bits` bits, there. */
  write(offset: number, bits: number, value: bigint): void {
    for (let i = 0; i < bits; i++) {
      const at = Math.floor((offset + i) / 8);
      const mask = 0x80 >> ((offset + i) % 8);
      const isSet = ((value >> BigInt(bits - 1 - i)) & 1n) === 1n;
      const byte = this.#byteAt(at);
      this.#changed.set(at, isSet ? byte | mask : byte & ~mask);
    }
  }

  /**
   * Stages the changes to the key in argument `key`, as a string of `length` bytes; nothing where there
   * are none.
   */
  stage(call: Call, key: number, length: number): void {
    let run: number[] = [];
    let start = 0;
    const flush = () => {
      patch(call, key, start, Uint8Array.from(run), length);
      run = [];
    };
    const bytes = this.#bytes;
    const changed = [...this.#changed]
      .filter(([at, byte]) => at >= bytes.length || bytes[at] !== byte)
      .sort(([a], [b]) => a - b);
    if (changed.length === 0) {
      if (length !== bytes.length) flush();
      return;
    }
    for (const [at, byte] of changed) {
      if (run.length > 0 && at !== start + run.length) flush();
      if (run.length === 0) start = at;
      run.push(byte);
    }
    flush();
  }

  #byteAt(at: number): number {
    return this.#changed.get(at) ?? (at < this.#bytes.length ? this.#bytes[at] : 0);
  }
}

function patch(call: Call, key: number, at: number, bytes: Uint8Array, newLength: number) {
  call.transaction.patchString(
    call.session.database,
    call.bytes,
    call.starts[key],
    call.ends[key],
    at,
    bytes,
    0,
    bytes.length,
    newLength,
  );
}
