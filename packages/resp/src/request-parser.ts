/**
 * Requests out of a stream of bytes: arrays of bulk strings, and inline commands.
 *
 * Invariants
 *  1. However the stream is cut into chunks, the requests are the same.
 *  2. `starts[i]..ends[i]` are offsets into `bytes`, valid until the next `push` or `next`.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

const CR = 13;
const LF = 10;

export class RequestParser {
  bytes: Buffer = Buffer.alloc(0);
  argc = 0;
  starts: number[] = [];
  ends: number[] = [];
  #at = 0;

  push(chunk: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** Whether a whole request is there: then `argc`, `starts` and `ends` tell its arguments. */
  next(): boolean {
    this.argc = 0;
    this.starts = [];
    this.ends = [];
    const lineEnd = this.bytes.indexOf(LF, this.#at);
    if (lineEnd < 0) return false;
    return this.bytes[this.#at] === 0x2a ? this.#array(lineEnd) : this.#inline(lineEnd);
  }

  #inline(lineEnd: number): boolean {
    let from = this.#at;
    const end = this.bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    for (let i = from; i <= end; i++) {
      if (i < end && this.bytes[i] !== 0x20) continue;
      if (i > from) this.#argument(from, i);
      from = i + 1;
    }
    this.#at = lineEnd + 1;
    return true;
  }

  #array(lineEnd: number): boolean {
    const count = this.#integer(this.#at + 1, lineEnd, 'invalid multibulk length');
    let at = lineEnd + 1;
    for (let i = 0; i < count; i++) {
      const end = this.bytes.indexOf(LF, at);
      if (end < 0) return false;
      if (this.bytes[at] !== 0x24) {
        throw new ProtocolError(
          `Protocol error: expected '$', got '${String.fromCharCode(this.bytes[at])}'`,
        );
      }
      const length = this.#integer(at + 1, end, 'invalid bulk length');
      if (this.bytes.length < end + 1 + length + 2) return false;
      this.#argument(end + 1, end + 1 + length);
      at = end + 1 + length + 2;
    }
    this.#at = at;
    return true;
  }

  #argument(from: number, to: number): void {
    this.starts[this.argc] = from;
    this.ends[this.argc] = to;
    this.argc++;
  }

  #integer(from: number, lineEnd: number, what: string): number {
    const text = this.bytes.toString('latin1', from, lineEnd).trimEnd();
    if (!/^\d{1,9}$/.test(text)) throw new ProtocolError(`Protocol error: ${what}`);
    return Number(text);
  }
}
