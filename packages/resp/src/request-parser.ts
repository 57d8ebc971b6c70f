/**
 * Requests out of a stream of bytes: arrays of bulk strings, and inline commands. Hot: no string,
 * no slice and no object per argument or request.
 *
 *     push(chunk) ──► [chunk being read] ──► request wholly inside: offsets into the chunk itself
 *                            │
 *                            └─ cut at its end ──► gathered buffer ◄── only the bytes that the cut
 *                                                  (one request)       request still lacks
 *
 * Invariants
 *  1. However the stream is cut into chunks, requests and errors are the same, in the same order.
 *  2. After `next()` gave true, argument i is `bytes[starts[i]..ends[i]]`, `argc >= 1`, valid until
 *     the next `next()`. `push` does not disturb it.
 *  3. The gathered buffer holds bytes of one request and grows with what was received, never to a
 *     length that was only declared. The same goes for the offsets.
 *  4. A chunk is lent: the parser lets go of it once `next()` gave false. It never writes to it.
 *  5. After a `ProtocolError` every `next()` throws the same error.
 *
 * One parser a connection, one thread. As Redis does, the two bytes behind a bulk string and the
 * byte behind a header's CR are skipped unread, and `*0` and `*-1` are skipped without an answer.
 */
import { ProtocolError } from './errors.js';
import { ARRAY, BULK, CR, CRLF_BYTES, DIGIT_0, DIGIT_9, LF, MINUS } from './format.js';
import { InlineSplitter } from './inline.js';
import {
  BULK_BYTES_MAX,
  ELEMENTS_MAX,
  LINE_BYTES_MAX,
  OFFSETS_KEPT_MAX,
  REQUEST_BYTES_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
  UNAUTHENTICATED_ELEMENTS_MAX,
} from './limits.js';

export interface RequestParserOptions {
  /** Whether the peer may send requests of full size. Default true. */
  authenticated?: boolean;
  /** The longest argument, in bytes. Default and most: 512 MiB. */
  bulkBytesMax?: number;
}

const NOTHING = Buffer.alloc(0);
const OFFSETS_MIN = 16;
const GATHER_BYTES_MIN = 256;

/** More digits than this are over every limit; fewer stay exact. */
const DIGITS_MAX = 15;

/** A negative count of more bytes would not fit 64 bits. */
const NEGATIVE_BYTES_MAX = 19;

/** What a header line can say besides a count; any negative count is `NEGATIVE`. */
const NEGATIVE = -1;
const INVALID = -2;

export class RequestParser {
  /** Where the arguments of the current request are. */
  bytes: Buffer = NOTHING;
  /** Arguments of the current request. */
  argc = 0;
  starts = new Int32Array(OFFSETS_MIN);
  ends = new Int32Array(OFFSETS_MIN);
  /** Set to false, requests are held to the small limits until it is true. */
  authenticated: boolean;
  /** The longest argument, in bytes; may change between requests. */
  bulkBytesMax: number;

  /** Bytes being read: the chunk, or the gathered buffer. The request lies in `#base..#end`. */
  #source: Buffer = NOTHING;
  #base = 0;
  #at = 0;
  #end = 0;
  /** How far the end of the current line was looked for. */
  #searched = 0;

  /** While `#gathering`, the chunk that is still to be read, from `#chunkAt`. */
  #gathering = false;
  #chunk: Buffer = NOTHING;
  #chunkAt = 0;
  /** Chunks pushed before the one being read was used up. */
  #queue: Buffer[] = [];
  #queuedBytes = 0;

  #complete = false;
  /** Arguments still to come; -1 before the request's first line. */
  #left = -1;
  /** Length of the argument being read; -1 before its header. */
  #bulk = -1;
  #header = 0;
  /** Bytes without which there is no going on; 0 means the rest of a line. */
  #lacking = 1;
  #failure: ProtocolError | undefined;
  #splitter: InlineSplitter | undefined;

  constructor(options: RequestParserOptions = {}) {
    this.authenticated = options.authenticated ?? true;
    this.bulkBytesMax = options.bulkBytesMax ?? BULK_BYTES_MAX;
  }

  /** Bytes received that belong to no request handed out yet. */
  get pendingBytes(): number {
    const request = this.#end - (this.#complete ? this.#at : this.#base);
    return request + (this.#chunk.length - this.#chunkAt) + this.#queuedBytes;
  }

  /** Takes received bytes, without copying them. */
  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined || chunk.length === 0) return;
    const buffer = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#queue.push(buffer);
    this.#queuedBytes += buffer.length;
  }

  /**
   * Whether a whole request is there: then `bytes`, `argc`, `starts` and `ends` tell its arguments.
   * Throws `ProtocolError`. Linear in the bytes received, whatever their cut.
   */
  next(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#complete) this.#begin();
    for (;;) {
      if (this.#advance()) {
        if (this.argc > 0) return true;
        this.#begin();
      } else if (!this.#supply()) {
        return false;
      }
    }
  }

  /** Forgets the request before, and goes on behind it. */
  #begin(): void {
    this.#complete = false;
    this.#left = -1;
    this.#bulk = -1;
    this.argc = 0;
    if (this.starts.length > OFFSETS_KEPT_MAX) {
      this.starts = new Int32Array(OFFSETS_MIN);
      this.ends = new Int32Array(OFFSETS_MIN);
    }
    if (this.#gathering) this.#read(this.#chunk, this.#chunkAt);
    this.#base = this.#at;
    this.#searched = this.#at;
    this.bytes = this.#source;
  }

  #read(chunk: Buffer, at: number): void {
    this.#gathering = false;
    this.#source = chunk;
    this.#base = at;
    this.#at = at;
    this.#searched = at;
    this.#end = chunk.length;
    this.#chunk = NOTHING;
    this.#chunkAt = 0;
    this.bytes = chunk;
  }

  /** Brings more bytes to a request that lacks some; false when all that was received is used. */
  #supply(): boolean {
    if (!this.#gathering) {
      if (this.#base < this.#end) this.#gather();
      else if (this.#queue.length === 0) {
        this.#read(NOTHING, 0);
        return false;
      }
    }
    if (this.#chunkAt === this.#chunk.length) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) {
        this.#chunk = NOTHING;
        this.#chunkAt = 0;
        return false;
      }
      this.#queuedBytes -= chunk.length;
      if (!this.#gathering) {
        this.#read(chunk, 0);
        return true;
      }
      this.#chunk = chunk;
      this.#chunkAt = 0;
    }
    this.#append(this.#amountLacking());
    return true;
  }

  /** Moves the cut request out of its chunk, into a buffer of its own. */
  #gather(): void {
    const base = this.#base;
    const length = this.#end - base;
    const own = Buffer.allocUnsafe(Math.max(GATHER_BYTES_MIN, length));
    this.#source.copy(own, 0, base, this.#end);
    for (let i = 0; i < this.argc; i++) {
      this.starts[i] -= base;
      this.ends[i] -= base;
    }
    this.#gathering = true;
    this.#source = own;
    this.#base = 0;
    this.#at -= base;
    this.#searched -= base;
    this.#end = length;
    this.bytes = own;
  }

  /** How much of the chunk the gathered request needs before it can be looked at again. */
  #amountLacking(): number {
    const available = this.#chunk.length - this.#chunkAt;
    if (this.#lacking > 0) return Math.min(this.#lacking, available);
    const isInline = this.#source[this.#base] !== ARRAY;
    const found = this.#chunk.indexOf(isInline ? LF : CR, this.#chunkAt);
    const line = found < 0 ? available : found - this.#chunkAt + (isInline ? 1 : CRLF_BYTES);
    return Math.min(line, available, LINE_BYTES_MAX + CRLF_BYTES);
  }

  #append(amount: number): void {
    const length = this.#end + amount;
    if (length > this.#source.length) {
      let capacity = Math.max(length, this.#source.length * 2);
      // The last argument's length is known: doubling past it would only waste memory.
      if (this.#left === 1 && this.#lacking > 0) {
        capacity = Math.max(length, Math.min(capacity, this.#end + this.#lacking));
      }
      const larger = Buffer.allocUnsafe(capacity);
      this.#source.copy(larger, 0, 0, this.#end);
      this.#source = larger;
      this.bytes = larger;
    }
    this.#chunk.copy(this.#source, this.#end, this.#chunkAt, this.#chunkAt + amount);
    this.#chunkAt += amount;
    this.#end = length;
  }

  /** Reads on in `#source`; true at the end of a request, false with `#lacking` set. */
  #advance(): boolean {
    if (this.#left < 0) {
      if (this.#at === this.#end) {
        this.#lacking = 1;
        return false;
      }
      if (this.#source[this.#at] !== ARRAY) return this.#inline();
      if (!this.#readHeader()) return false;
      this.#left = this.#elementCount(this.#header);
    }
    while (this.#left > 0) {
      if (this.#bulk < 0) {
        const at = this.#at;
        if (!this.#readHeader()) return false;
        this.#bulk = this.#bulkLength(this.#header, this.#source[at]);
        if (this.#at - this.#base + this.#bulk > REQUEST_BYTES_MAX) {
          this.#fail('RESP_TOO_BIG_REQUEST', 'too big request');
        }
      }
      const stop = this.#at + this.#bulk;
      if (stop + CRLF_BYTES > this.#end) {
        this.#lacking = stop + CRLF_BYTES - this.#end;
        return false;
      }
      this.#addArgument(this.#at, stop);
      this.#at = stop + CRLF_BYTES;
      this.#searched = this.#at;
      this.#bulk = -1;
      this.#left--;
    }
    this.#complete = true;
    return true;
  }

  /** Reads `<type><number>CR<any byte>` into `#header`; false if it is not all there. */
  #readHeader(): boolean {
    const bytes = this.#source;
    const last = this.#end - 1;
    let at = this.#at + 1;
    let value = 0;
    const digitsEnd = Math.min(last, at + DIGITS_MAX);
    while (at < digitsEnd) {
      const digit = bytes[at] - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    const digits = at - this.#at - 1;
    if (at < last && bytes[at] === CR && digits > 0) {
      this.#header = digits > 1 && bytes[this.#at + 1] === DIGIT_0 ? INVALID : value;
      this.#at = at + CRLF_BYTES;
      this.#searched = this.#at;
      return true;
    }
    return this.#readOddHeader();
  }

  /** A header that is cut, negative, too long or no number. */
  #readOddHeader(): boolean {
    const found = this.#find(CR);
    if ((found < 0 ? this.#end : found) - this.#at > LINE_BYTES_MAX) {
      if (this.#left < 0) {
        this.#fail('RESP_TOO_BIG_MULTIBULK_COUNT', 'too big mbulk count string');
      }
      this.#fail('RESP_TOO_BIG_BULK_COUNT', 'too big bulk count string');
    }
    if (found < 0 || found + 1 >= this.#end) {
      this.#searched = found < 0 ? this.#end : found;
      this.#lacking = found < 0 ? 0 : 1;
      return false;
    }
    this.#header = this.#isNegative(this.#at + 1, found) ? NEGATIVE : INVALID;
    this.#at = found + CRLF_BYTES;
    this.#searched = this.#at;
    return true;
  }

  /** Where the line ends, or -1. Looks at received bytes once only, and at no others. */
  #find(delimiter: number): number {
    const found = this.#source.subarray(this.#searched, this.#end).indexOf(delimiter);
    return found < 0 ? -1 : this.#searched + found;
  }

  #isNegative(from: number, to: number): boolean {
    const bytes = this.#source;
    if (to - from < 2 || to - from > NEGATIVE_BYTES_MAX || bytes[from] !== MINUS) return false;
    if (bytes[from + 1] === DIGIT_0) return false;
    for (let i = from + 1; i < to; i++) {
      if (bytes[i] < DIGIT_0 || bytes[i] > DIGIT_9) return false;
    }
    return true;
  }

  #elementCount(header: number): number {
    if (header === INVALID || header > ELEMENTS_MAX) {
      this.#fail('RESP_INVALID_MULTIBULK_LENGTH', 'invalid multibulk length');
    }
    if (!this.authenticated && header > UNAUTHENTICATED_ELEMENTS_MAX) {
      this.#fail('RESP_UNAUTHENTICATED_MULTIBULK_LENGTH', 'unauthenticated multibulk length');
    }
    return Math.max(0, header);
  }

  #bulkLength(header: number, type: number): number {
    if (type !== BULK) {
      const got = String.fromCharCode(type);
      this.#fail('RESP_EXPECTED_BULK', `expected '$', got '${got}'`);
    }
    if (header < 0 || header > this.bulkBytesMax) {
      this.#fail('RESP_INVALID_BULK_LENGTH', 'invalid bulk length');
    }
    if (!this.authenticated && header > UNAUTHENTICATED_BULK_BYTES_MAX) {
      this.#fail('RESP_UNAUTHENTICATED_BULK_LENGTH', 'unauthenticated bulk length');
    }
    return header;
  }

  #inline(): boolean {
    const found = this.#find(LF);
    if ((found < 0 ? this.#end : found) - this.#base > LINE_BYTES_MAX) {
      this.#fail('RESP_TOO_BIG_INLINE', 'too big inline request');
    }
    if (found < 0) {
      this.#searched = this.#end;
      this.#lacking = 0;
      return false;
    }
    this.#splitter ??= new InlineSplitter();
    const splitter = this.#splitter;
    const bytes = splitter.split(this.#source, this.#base, found);
    if (bytes === undefined) {
      this.#fail('RESP_UNBALANCED_QUOTES', 'unbalanced quotes in request');
    }
    this.bytes = bytes;
    for (let i = 0; i < splitter.count; i++) {
      this.#addArgument(splitter.starts[i], splitter.ends[i]);
    }
    this.#at = found + 1;
    this.#complete = true;
    return true;
  }

  #addArgument(from: number, to: number): void {
    if (this.argc === this.starts.length) {
      const starts = new Int32Array(this.argc * 2);
      const ends = new Int32Array(this.argc * 2);
      starts.set(this.starts);
      ends.set(this.ends);
      this.starts = starts;
      this.ends = ends;
    }
    this.starts[this.argc] = from;
    this.ends[this.argc] = to;
    this.argc++;
  }

  #fail(code: ProtocolError['code'], detail: string): never {
    this.#failure = new ProtocolError(code, detail);
    this.argc = 0;
    this.#read(NOTHING, 0);
    this.#queue = [];
    this.#queuedBytes = 0;
    throw this.#failure;
  }
}
