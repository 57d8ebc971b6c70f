/**
 * Where replies end in a stream of bytes (RESP2 and RESP3), without looking at what they say: so that
 * replies are compared as they came.
 */
const LF = 0x0a;
const TYPES = {
  bulks: new Set([0x24, 0x3d, 0x21]),
  lists: new Set([0x2a, 0x7e, 0x3e]),
  pairs: new Set([0x25, 0x7c]),
};

/** The offset behind the reply at `from`, or -1 where it is not whole yet. */
export function replyEnd(bytes: Buffer, from: number): number {
  let at = from;
  for (let pending = 1; pending > 0; pending--) {
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd < 0) return -1;
    const type = bytes[at];
    const next = lineEnd + 1;
    const count = () => Number(bytes.toString('latin1', at + 1, lineEnd - 1));
    if (TYPES.bulks.has(type)) {
      const length = count();
      at = length < 0 ? next : next + length + 2;
      if (at > bytes.length) return -1;
      continue;
    }
    if (TYPES.lists.has(type)) pending += Math.max(0, count());
    else if (TYPES.pairs.has(type)) pending += 2 * Math.max(0, count());
    at = next;
  }
  return at;
}

/** Collects replies from chunks. */
export class ReplyCollector {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #chunks: Buffer[] = [];

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** The replies that are whole by now. */
  take(): Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), ...this.#chunks]);
    this.#chunks.length = 0;
    this.#at = 0;
    const replies: Buffer[] = [];
    for (;;) {
      const end = this.#at < this.#bytes.length ? replyEnd(this.#bytes, this.#at) : -1;
      if (end < 0) return replies;
      replies.push(this.#bytes.subarray(this.#at, end));
      this.#at = end;
    }
  }
}

const ARRAY = 0x2a;

/** Whether a reply is an array, and not the null one. */
export function isList(reply: Buffer): boolean {
  return reply[0] === ARRAY && reply[1] !== 0x2d;
}

/** The replies inside an array. */
export function itemsOf(list: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let at = list.indexOf(LF) + 1; at < list.length; ) {
    const end = replyEnd(list, at);
    items.push(list.subarray(at, end));
    at = end;
  }
  return items;
}
