/** The commands that took longest to run, the newest first. Source: Redis 7.0, `slowlog.c`. */
import type { Request } from '../dispatch/request.js';
import type { Session } from '../session.js';
import type { Command } from '../table/row.js';

/** Of a long request so many arguments are kept, and so many bytes of each. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

/** Whatever the configuration says: at some 5 KB each at most, this is what there is memory for. */
const ENTRIES_LIMIT = 10_000;

/** Commands with passwords in them. */
const SECRET = new Set(['auth', 'hello']);
const REDACTED = Buffer.from('(redacted)');

export interface SlowEntry {
  id: number;
  /** Wall clock when it began, in seconds since 1970. */
  atSeconds: number;
  elapsedUs: number;
  arguments: readonly Buffer[];
  address: string;
  name: string;
}

export class SlowLog {
  #entries: SlowEntry[] = [];
  #nextId = 0;

  /** The newest first. */
  get entries(): readonly SlowEntry[] {
    return this.#entries;
  }

  add(
    command: Command,
    request: Request,
    session: Session,
    startMs: number,
    elapsedUs: number,
    entriesMax: number,
  ): void {
    this.#entries.unshift({
      id: this.#nextId++,
      atSeconds: Math.floor(startMs / 1000),
      elapsedUs: Math.floor(elapsedUs),
      arguments: argumentsOf(command, request),
      address: session.address,
      name: session.name,
    });
    const most = Math.min(entriesMax, ENTRIES_LIMIT);
    if (this.#entries.length > most) this.#entries.length = most;
  }

  clear(): void {
    this.#entries = [];
  }
}

function argumentsOf(command: Command, request: Request): Buffer[] {
  const kept = request.argc > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : request.argc;
  const words = Array.from({ length: kept }, (_, i) =>
    i > 0 && SECRET.has(command.spec.name) ? REDACTED : argumentOf(request, i),
  );
  if (kept < request.argc) words.push(Buffer.from(`... (${request.argc - kept} more arguments)`));
  return words;
}

function argumentOf({ bytes, starts, ends }: Request, index: number): Buffer {
  const length = ends[index] - starts[index];
  const kept = Math.min(length, ARGUMENT_BYTES_MAX);
  const word = Buffer.from(bytes.subarray(starts[index], starts[index] + kept));
  if (kept === length) return word;
  return Buffer.concat([word, Buffer.from(`... (${length - kept} more bytes)`)]);
}
