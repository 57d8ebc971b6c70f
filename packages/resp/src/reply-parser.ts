/**
 * Replies out of a stream of bytes, for clients: RESP2 and RESP3 to JavaScript values.
 *
 *     bytes ──► element (line, or header and bytes) ──► open aggregates (a stack) ──► frame
 *
 * Invariants
 *  1. However the stream is cut, the frames are the same; no element is read twice, so the work is
 *     linear in the bytes received.
 *  2. Memory grows with what was received, never by a declared length. Depth is bounded, and there
 *     is no recursion.
 *  3. Values own their bytes. Attributes are read and dropped.
 *  4. After a `ProtocolError` every `next()` throws the same error.
 */
import { ProtocolError } from './errors.js';
import * as format from './format.js';
import {
  LINE_BYTES_MAX,
  REPLY_BULK_BYTES_MAX,
  REPLY_DEPTH_MAX,
  REPLY_ELEMENTS_MAX,
} from './limits.js';
import {
  type Reply,
  type ReplyFrame,
  RespDouble,
  RespError,
  RespVerbatim,
} from './reply-values.js';

export interface ReplyParserOptions {
  /** What bulk strings become: Buffers (default) or strings of UTF-8. */
  bulk?: 'bytes' | 'text';
}

/** An aggregate being filled; a map has twice its declared count to come. */
interface Open {
  type: number;
  left: number;
  elements: Reply[];
}

const { CR, LF, CRLF_BYTES } = format;
const NOTHING = Buffer.alloc(0);
const INTEGER_PATTERN = /^[+-]?\d{1,19}$/;
const DOUBLE_PATTERN =
  /^(?:[+-]?(?:inf|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|-?nan)$/;
const BIG_NUMBER_PATTERN = /^[+-]?\d{1,65535}$/;
const LENGTH_PATTERN = /^\d{1,10}$/;

export class ReplyParser {
  readonly #asText: boolean;
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;
  #searched = 0;
  /** Type and length of a bulk string of which the header was read; -1 without one. */
  #bulkType = 0;
  #bulk = -1;
  #stack: Open[] = [];
  #failure: ProtocolError | undefined;

  constructor(options: ReplyParserOptions = {}) {
    this.#asText = options.bulk === 'text';
  }

  /** Bytes received and not read. */
  get pendingBytes(): number {
    return this.#end - this.#at;
  }

  /** Takes received bytes; they are copied where they cannot be read yet. */
  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) return;
    const pending = this.#end - this.#at;
    const needed = pending + chunk.length;
    if (this.#end + chunk.length > this.#bytes.length) {
      const target =
        needed > this.#bytes.length / 2
          ? Buffer.allocUnsafeSlow(Math.max(needed, pending * 2, 4096))
          : this.#bytes;
      this.#bytes.copy(target, 0, this.#at, this.#end);
      this.#bytes = target;
      this.#searched -= this.#at;
      this.#at = 0;
      this.#end = pending;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole reply, or undefined when more bytes are needed. Throws `ProtocolError`. */
  next(): ReplyFrame | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    for (;;) {
      const value = this.#bulk < 0 ? this.#line() : this.#bulkValue();
      if (value === MORE) {
        if (this.#at === this.#end) this.#release();
        return undefined;
      }
      if (value === OPENED) continue;
      const frame = this.#close(value);
      if (frame !== undefined) return frame;
    }
  }

  #release(): void {
    this.#bytes = NOTHING;
    this.#at = 0;
    this.#end = 0;
    this.#searched = 0;
  }

  /** Puts a value into the aggregates that wait for it; the frame, when none is left open. */
  #close(value: Reply): ReplyFrame | undefined {
    let current = value;
    for (;;) {
      const open = this.#stack.at(-1);
      if (open === undefined) return { value: current };
      open.elements.push(current);
      open.left--;
      if (open.left > 0) return undefined;
      this.#stack.pop();
      if (open.type === format.ATTRIBUTE) return undefined;
      if (open.type === format.PUSH && this.#stack.length === 0) {
        return { value: open.elements, push: true };
      }
      current = aggregate(open);
    }
  }

  #line(): Reply | typeof MORE | typeof OPENED {
    const found = this.#bytes.subarray(this.#searched, this.#end).indexOf(LF);
    const lineEnd = found < 0 ? this.#end : this.#searched + found;
    if (lineEnd - this.#at > LINE_BYTES_MAX) {
      this.#fail(`expected a line of at most ${LINE_BYTES_MAX} bytes, got more`);
    }
    if (found < 0) {
      this.#searched = this.#end;
      return MORE;
    }
    if (lineEnd === this.#at || this.#bytes[lineEnd - 1] !== CR) {
      this.#fail('expected a line that ends in CR LF, got one that ends in LF');
    }
    const type = this.#bytes[this.#at];
    const from = this.#at + 1;
    this.#at = lineEnd + 1;
    this.#searched = this.#at;
    return this.#element(type, this.#bytes.toString('utf8', from, Math.max(from, lineEnd - 1)));
  }

  #element(type: number, text: string): Reply | typeof MORE | typeof OPENED {
    switch (type) {
      case format.SIMPLE:
        return text;
      case format.ERROR:
        return new RespError(text);
      case format.INTEGER:
        return this.#integer(text);
      case format.NULL:
        return null;
      case format.BOOLEAN:
        if (text !== 't' && text !== 'f') this.#fail(`expected #t or #f, got ${quote(text)}`);
        return text === 't';
      case format.DOUBLE:
        return this.#double(text);
      case format.BIG_NUMBER:
        if (!BIG_NUMBER_PATTERN.test(text)) this.#fail(`expected a number, got ${quote(text)}`);
        return text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text);
      case format.BULK:
      case format.BULK_ERROR:
      case format.VERBATIM:
        if (type === format.BULK && text === '-1') return null;
        this.#bulk = this.#length(text, REPLY_BULK_BYTES_MAX);
        this.#bulkType = type;
        return this.#bulkValue();
      case format.ARRAY:
      case format.SET:
      case format.PUSH:
      case format.MAP:
      case format.ATTRIBUTE:
        if (type === format.ARRAY && text === '-1') return null;
        return this.#open(type, this.#length(text, REPLY_ELEMENTS_MAX));
      default:
        return this.#fail(`expected the type of a reply, got ${quote(String.fromCharCode(type))}`);
    }
  }

  #open(type: number, count: number): Reply | typeof OPENED {
    const isPaired = type === format.MAP || type === format.ATTRIBUTE;
    const open = { type, left: isPaired ? count * 2 : count, elements: [] };
    if (type === format.PUSH && (count === 0 || this.#stack.length > 0)) {
      this.#fail('expected push data with a kind, outside of other replies, got neither');
    }
    if (count === 0) return type === format.ATTRIBUTE ? OPENED : aggregate(open);
    if (this.#stack.length === REPLY_DEPTH_MAX) {
      this.#fail(`expected replies at most ${REPLY_DEPTH_MAX} deep, got deeper`);
    }
    this.#stack.push(open);
    return OPENED;
  }

  #bulkValue(): Reply | typeof MORE {
    const from = this.#at;
    const to = from + this.#bulk;
    if (to + CRLF_BYTES > this.#end) return MORE;
    if (this.#bytes[to] !== CR || this.#bytes[to + 1] !== LF) {
      this.#fail(`expected CR LF behind ${this.#bulk} bytes, got something else`);
    }
    this.#at = to + CRLF_BYTES;
    this.#searched = this.#at;
    this.#bulk = -1;
    if (this.#bulkType === format.BULK && !this.#asText) {
      return Buffer.from(this.#bytes.subarray(from, to));
    }
    const text = this.#bytes.toString('utf8', from, to);
    if (this.#bulkType === format.BULK) return text;
    if (this.#bulkType === format.BULK_ERROR) return new RespError(text);
    if (text[3] !== ':') this.#fail(`expected verbatim text as fmt:text, got ${quote(text)}`);
    return new RespVerbatim(text.slice(0, 3), text.slice(4));
  }

  #integer(text: string): number | bigint {
    if (!INTEGER_PATTERN.test(text)) this.#fail(`expected an integer, got ${quote(text)}`);
    const value = Number(text);
    if (Number.isSafeInteger(value)) return value;
    return BigInt(text.startsWith('+') ? text.slice(1) : text);
  }

  #double(text: string): RespDouble {
    if (!DOUBLE_PATTERN.test(text)) this.#fail(`expected a double, got ${quote(text)}`);
    if (text.endsWith('nan')) return new RespDouble(Number.NaN);
    return new RespDouble(Number(text.replace('inf', 'Infinity')));
  }

  #length(text: string, max: number): number {
    const length = LENGTH_PATTERN.test(text) ? Number(text) : -1;
    if (length < 0 || length > max) {
      this.#fail(`expected a length of 0 to ${max}, got ${quote(text)}`);
    }
    return length;
  }

  #fail(detail: string): never {
    this.#failure = new ProtocolError(
      'RESP_INVALID_REPLY',
      `${detail}; is there a RESP server at the other end?`,
    );
    this.#stack = [];
    this.#release();
    throw this.#failure;
  }
}

/** More bytes are needed. */
const MORE = Symbol('more');
/** An aggregate was opened: there is no value yet. */
const OPENED = Symbol('opened');

function aggregate(open: Open): Reply {
  if (open.type === format.SET) return new Set(open.elements);
  if (open.type !== format.MAP) return open.elements;
  const map = new Map<Reply, Reply>();
  for (let i = 0; i < open.elements.length; i += 2) {
    map.set(open.elements[i], open.elements[i + 1]);
  }
  return map;
}

/** A peer's text in a message: short, on one line. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 32));
}
