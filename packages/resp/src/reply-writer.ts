/**
 * Replies into one buffer that is reused: written once, handed to the socket without a copy. Hot.
 *
 *     slab: | taken, being sent | taken | pending replies | free |
 *                                       ^ start           ^ end
 *
 * Invariants
 *  1. What `take` handed over is never written to again.
 *  2. `length` is what was written since the last `take`; `rewind(length)` undoes what came after.
 *  3. Every method writes what `protocol` calls for at that moment; types that RESP2 lacks become
 *     what Redis sends there: maps, sets and pushes become arrays, doubles and big numbers bulk
 *     strings, booleans 0 and 1, both nulls their RESP2 forms.
 *
 * Aggregates are headers: after `array(n)`, `set(n)`, `push(n)` the caller writes n replies, after
 * `map(n)` 2n. One writer a connection, one thread.
 */
import {
  ARRAY,
  BIG_NUMBER,
  BOOLEAN,
  BULK,
  CR,
  CRLF_BYTES,
  DIGIT_0,
  DOUBLE,
  ERROR,
  INTEGER,
  LF,
  MAP,
  MINUS,
  NULL,
  type Protocol,
  PUSH,
  SET,
  SIMPLE,
  VERBATIM,
} from './format.js';
import { SLAB_BYTES_MAX, SLAB_BYTES_MIN } from './limits.js';

export interface ReplyWriterOptions {
  /** Default 2, which every connection starts with. */
  protocol?: Protocol;
}

const NOTHING = Buffer.alloc(0);

/** A type byte, a sign, the digits of 2^53 and CR LF. */
const HEADER_BYTES_MAX = 24;

/** Shorter ASCII is copied byte by byte: faster than the call into native code. */
const COPIED_HERE_MAX = 48;

const LINE_BREAK = /[\r\n]/;
const LINE_BREAKS = /[\r\n]/g;

export class ReplyWriter {
  protocol: Protocol;
  /** The buffer being written. `reserveBulk` gives offsets into it, good until the next call. */
  bytes: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  #slabBytes = SLAB_BYTES_MIN;

  constructor(options: ReplyWriterOptions = {}) {
    this.protocol = options.protocol ?? 2;
  }

  /** Bytes written and not taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Forgets everything written since `length` was this. */
  rewind(length: number): void {
    if (!(length >= 0 && length <= this.length)) {
      throw new RangeError(
        `Expected a length of 0 to ${this.length} bytes to rewind to, got ${length}; pass a value that .length had since the last take()`,
      );
    }
    this.#end = this.#start + length;
  }

  /** Hands over what was written; it belongs to the caller for good. */
  take(): Buffer {
    const taken = this.bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    // What is left of a large buffer is not worth keeping the whole of it in memory.
    if (this.bytes.length > SLAB_BYTES_MAX) {
      this.bytes = NOTHING;
      this.#start = 0;
      this.#end = 0;
    }
    return taken;
  }

  /** A status such as `OK`. Line breaks become spaces, as in `error`. */
  simple(text: string): void {
    this.#line(SIMPLE, text);
  }

  /** `text` begins with its code: `ERR syntax error`. Line breaks become spaces. */
  error(text: string): void {
    this.#line(ERROR, text);
  }

  /** A safe integer, or a bigint of at most 64 bits. */
  integer(value: number | bigint): void {
    if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`Expected an integer of 64 bits, got ${value}; use bigNumber()`);
      }
      this.#ascii(INTEGER, value.toString());
      return;
    }
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`Expected a safe integer, got ${value}; use a bigint or double()`);
    }
    this.#header(INTEGER, value);
  }

  /** The bulk string `source[from..to]`. */
  bulk(source: Uint8Array, from = 0, to = source.length): void {
    const length = to - from;
    const at = this.reserveBulk(length);
    if (length <= COPIED_HERE_MAX) {
      const bytes = this.bytes;
      for (let i = 0; i < length; i++) bytes[at + i] = source[from + i];
    } else {
      this.bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
    }
  }

  /**
   * Writes a bulk string of `length` bytes but for the bytes themselves; returns where in `bytes`
   * they belong. The caller fills them before any other call on the writer.
   */
  reserveBulk(length: number): number {
    this.#reserve(HEADER_BYTES_MAX + length + CRLF_BYTES);
    this.#header(BULK, length);
    const at = this.#end;
    this.#end = at + length;
    this.#lineEnd();
    return at;
  }

  /** A bulk string of UTF-8. */
  text(value: string): void {
    this.#text(value, Buffer.byteLength(value));
  }

  /** No value: `_` in RESP3, the null bulk string in RESP2. */
  null(): void {
    this.#null(BULK);
  }

  /** No value where an array was asked for: `_` in RESP3, the null array in RESP2. */
  nullArray(): void {
    this.#null(ARRAY);
  }

  array(count: number): void {
    this.#header(ARRAY, count);
  }

  /** `count` pairs follow: 2 x `count` replies. */
  map(count: number): void {
    if (this.protocol === 3) this.#header(MAP, count);
    else this.#header(ARRAY, count * 2);
  }

  set(count: number): void {
    this.#header(this.protocol === 3 ? SET : ARRAY, count);
  }

  /** Out of band data, of which the first element is the kind. */
  push(count: number): void {
    this.#header(this.protocol === 3 ? PUSH : ARRAY, count);
  }

  double(value: number): void {
    const text = doubleText(value);
    if (this.protocol === 3) this.#ascii(DOUBLE, text);
    else this.#text(text, text.length);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.#ascii(BOOLEAN, value ? 't' : 'f');
    else this.#header(INTEGER, value ? 1 : 0);
  }

  bigNumber(value: bigint): void {
    const text = value.toString();
    if (this.protocol === 3) this.#ascii(BIG_NUMBER, text);
    else this.#text(text, text.length);
  }

  /** Text for people. `format` is three ASCII bytes, `txt` or `mkd`; RESP2 leaves it out. */
  verbatim(format: string, text: string): void {
    if (!/^[\x21-\x7e]{3}$/.test(format)) {
      throw new RangeError(`Expected a format of three ASCII characters, got '${format}'; try txt`);
    }
    const length = Buffer.byteLength(text);
    if (this.protocol !== 3) {
      this.#text(text, length);
      return;
    }
    const prefixed = length + format.length + 1;
    this.#reserve(HEADER_BYTES_MAX + prefixed + CRLF_BYTES);
    this.#header(VERBATIM, prefixed);
    this.#end += this.bytes.write(`${format}:${text}`, this.#end);
    this.#lineEnd();
  }

  /** Bytes that are a reply already, or part of one. */
  raw(source: Uint8Array): void {
    this.#reserve(source.length);
    this.bytes.set(source, this.#end);
    this.#end += source.length;
  }

  #null(type: number): void {
    if (this.protocol === 3) this.#ascii(NULL, '');
    else this.#header(type, -1);
  }

  #text(value: string, length: number): void {
    this.#put(value, length, this.reserveBulk(length));
  }

  /** Writes `value`, which is `length` bytes of UTF-8. */
  #put(value: string, length: number, at: number): void {
    if (length > COPIED_HERE_MAX || length !== value.length) {
      this.bytes.write(value, at, length);
      return;
    }
    const bytes = this.bytes;
    for (let i = 0; i < length; i++) bytes[at + i] = value.charCodeAt(i);
  }

  #line(type: number, text: string): void {
    const clean = LINE_BREAK.test(text) ? text.replaceAll(LINE_BREAKS, ' ') : text;
    const length = Buffer.byteLength(clean);
    this.#reserve(1 + length + CRLF_BYTES);
    this.bytes[this.#end++] = type;
    this.#put(clean, length, this.#end);
    this.#end += length;
    this.#lineEnd();
  }

  #ascii(type: number, text: string): void {
    this.#reserve(1 + text.length + CRLF_BYTES);
    const bytes = this.bytes;
    bytes[this.#end++] = type;
    for (let i = 0; i < text.length; i++) bytes[this.#end++] = text.charCodeAt(i);
    this.#lineEnd();
  }

  /** `<type><value>` and the end of the line; `value` is a safe integer. */
  #header(type: number, value: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    const bytes = this.bytes;
    bytes[this.#end++] = type;
    let rest = value;
    if (rest < 0) {
      bytes[this.#end++] = MINUS;
      rest = -rest;
    }
    let digits = 1;
    for (let power = 10; power <= rest; power *= 10) digits++;
    let at = this.#end + digits;
    this.#end = at;
    // 32-bit division is an instruction; the other is a call.
    while (rest > 0x7fffffff) {
      const quotient = Math.floor(rest / 10);
      bytes[--at] = DIGIT_0 + (rest - quotient * 10);
      rest = quotient;
    }
    do {
      const quotient = (rest / 10) | 0;
      bytes[--at] = DIGIT_0 + (rest - quotient * 10);
      rest = quotient;
    } while (rest > 0);
    this.#lineEnd();
  }

  #lineEnd(): void {
    this.bytes[this.#end++] = CR;
    this.bytes[this.#end++] = LF;
  }

  #reserve(more: number): void {
    if (this.#end + more > this.bytes.length) this.#grow(more);
  }

  /** Goes on in a larger buffer with what is pending. */
  #grow(more: number): void {
    const pending = this.#end - this.#start;
    const slabBytes = pending === 0 ? this.#slabBytes : pending * 2;
    this.#slabBytes = Math.min(SLAB_BYTES_MAX, this.#slabBytes * 2);
    const larger = Buffer.allocUnsafeSlow(Math.max(slabBytes, pending + more));
    this.bytes.copy(larger, 0, this.#start, this.#end);
    this.bytes = larger;
    this.#start = 0;
    this.#end = pending;
  }
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
