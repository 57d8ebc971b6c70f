/**
 * The connected clients, what they have cost together, and who has overstayed.
 *
 * Invariants
 *  1. At most `clientsMax` members. Ids start at 1 and are never used again.
 *  2. `queryBytes` is the sum of what the members report. Over `queryBufferBytesMax` members are
 *     closed until it fits again: those that have not authenticated first, then those that hold at
 *     least the mean; among either the one that has been silent for longest. So neither a client
 *     whose large request is arriving, nor one with a few bytes, is closed for one that stands still.
 *  3. One timer looks at all members, at least four times within the shortest timeout; idle
 *     connections own no timer.
 */
import type { Session } from '@nendb/commands';
import type { ServerConfig } from './config.js';
import { SWEEP_MS_MAX, SWEEP_MS_MIN } from './limits.js';

/** What the registry needs to know of a connection. */
export interface Client {
  readonly session: Session;
  /** Received and not yet executed, commands queued in MULTI included. */
  readonly queryBytes: number;
  /** Replies that have not left. */
  readonly outputBytes: number;
  /** When bytes last came from it, by a clock that never goes back, in ms. */
  readonly lastInputMs: number;
  /** Why the client should be closed now, or `undefined`. */
  overdue(nowMs: number): string | undefined;
  /** Cuts the connection. */
  destroy(reason: string): void;
}

export interface ClientCounters {
  accepted: number;
  rejected: number;
  inputBytes: number;
  outputBytes: number;
  /** Closed by the server: timeouts, buffers over their limit, broken protocol. */
  evicted: number;
}

export class Clients<C extends Client> {
  readonly counters: ClientCounters = noCounts();
  readonly #byId = new Map<number, C>();
  readonly #config: ServerConfig;
  #nextId = 1;
  #queryBytes = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(config: ServerConfig) {
    this.#config = config;
  }

  get size(): number {
    return this.#byId.size;
  }

  get full(): boolean {
    return this.#byId.size >= this.#config.clientsMax;
  }

  get queryBytes(): number {
    return this.#queryBytes;
  }

  nextId(): number {
    return this.#nextId++;
  }

  add(client: C): void {
    this.#byId.set(client.session.id, client);
  }

  /** @param queryBytes what the client had last reported. */
  remove(client: C, queryBytes: number): void {
    if (this.#byId.delete(client.session.id)) this.#queryBytes -= queryBytes;
  }

  get(session: Session): C | undefined {
    return this.#byId.get(session.id);
  }

  values(): Iterable<C> {
    return this.#byId.values();
  }

  *sessions(): Iterable<Session> {
    for (const client of this.#byId.values()) yield client.session;
  }

  /** A client's query buffer went from `before` to `after` bytes. */
  queryChanged(before: number, after: number): void {
    this.#queryBytes += after - before;
    while (this.#queryBytes > this.#config.queryBufferBytesMax && this.#evictOne()) {
      this.counters.evicted++;
    }
  }

  resetCounters(): void {
    Object.assign(this.counters, noCounts());
  }

  /** Starts looking for clients that are overdue. */
  watch(): void {
    const { idleTimeoutMs, requestTimeoutMs, authTimeoutMs } = this.#config;
    const shortestMs = Math.min(idleTimeoutMs || SWEEP_MS_MAX * 4, requestTimeoutMs, authTimeoutMs);
    const everyMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, shortestMs / 4));
    this.#sweep = setInterval(() => this.#closeOverdue(), everyMs);
    this.#sweep.unref();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #closeOverdue(): void {
    const nowMs = performance.now();
    for (const client of this.#byId.values()) {
      const reason = client.overdue(nowMs);
      if (reason === undefined) continue;
      this.counters.evicted++;
      client.destroy(reason);
    }
  }

  #evictOne(): boolean {
    let holders = 0;
    for (const client of this.#byId.values()) if (client.queryBytes > 0) holders++;
    const meanBytes = this.#queryBytes / holders;
    let stranger: C | undefined;
    let member: C | undefined;
    for (const client of this.#byId.values()) {
      if (client.queryBytes === 0) continue;
      if (!client.session.authenticated) stranger = moreSilent(stranger, client);
      else if (client.queryBytes >= meanBytes) member = moreSilent(member, client);
    }
    const victim = stranger ?? member;
    if (victim === undefined) return false;
    victim.destroy('query buffers of all clients over --query-buffer-bytes-max');
    return true;
  }
}

/** Of two the one from which nothing has come for longer. */
function moreSilent<C extends Client>(a: C | undefined, b: C): C {
  return a === undefined || b.lastInputMs < a.lastInputMs ? b : a;
}

function noCounts(): ClientCounters {
  return { accepted: 0, rejected: 0, inputBytes: 0, outputBytes: 0, evicted: 0 };
}
