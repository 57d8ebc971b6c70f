/**
 * The connected clients, what they have cost together, and who has overstayed.
 *
 * Invariants
 *  1. At most `clientsMax` members. Ids start at 1 and are never used again.
 *  2. `queryBytes` is the sum of what the members report; over `queryBufferBytesMax` the member that
 *     holds most is closed until it fits again.
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
    while (this.#queryBytes > this.#config.queryBufferBytesMax && this.#evictLargest()) {
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

  #evictLargest(): boolean {
    let largest: C | undefined;
    for (const client of this.#byId.values()) {
      if (!largest || client.queryBytes > largest.queryBytes) largest = client;
    }
    if (!largest || largest.queryBytes === 0) return false;
    largest.destroy('query buffers of all clients over --query-buffer-bytes-max, this one largest');
    return true;
  }
}

function noCounts(): ClientCounters {
  return { accepted: 0, rejected: 0, inputBytes: 0, outputBytes: 0, evicted: 0 };
}
