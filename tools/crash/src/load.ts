/**
 * Several clients that write until the server is gone, and remember what they sent and what was
 * acknowledged. A write is acknowledged when its reply was read, EXEC's for a transaction.
 *
 * Invariants
 *  1. Replies are checked as they come: a client owns its keys, so that each reply is known.
 *  2. What was received before the connection broke counts as acknowledged, however late it is read.
 */
import { type Reply, type RequestArgument, RespError } from '@nendb/resp';
import { Connection } from './connection.js';
import { CrashFailure } from './failure.js';
import { History } from './history.js';
import { type Expected, isReply, isWrite, type Operation, requestOf } from './model.js';
import type { Random } from './random.js';
import type { SharedCounters } from './shared-counters.js';
import { excerpt } from './values.js';
import { Workload } from './workload.js';

/** One client across all restarts. */
export class LoadClient {
  readonly history: History;
  readonly #workload: Workload;
  readonly #random: Random;
  readonly #shared: SharedCounters;

  constructor(client: number, random: Random, shared: SharedCounters) {
    this.history = new History(client);
    this.#random = random.fork();
    this.#workload = new Workload(client, this.history.prefix, random.fork());
    this.#shared = shared;
  }

  /** Keeps up to `depthMax` operations in flight; `onWrite` hears of every acknowledged write. */
  run(connection: Connection, depthMax: number, onWrite: () => void): void {
    let depth = this.#random.integer(1, depthMax);
    const fill = () => {
      while (connection.isOpen && this.history.inFlight < depth) this.#send(connection, onWrite);
    };
    connection.onReplies = () => {
      if (this.#random.chance(0.02)) depth = this.#random.integer(1, depthMax);
      fill();
    };
    fill();
  }

  #send(connection: Connection, onWrite: () => void): void {
    const operation = this.#workload.next();
    const expected = this.history.send(operation);
    this.#shared.send(operation);
    connection.send(requestsOf(operation), (replies) => {
      this.#check(operation, expected, replies);
      this.history.acknowledge();
      if (isWrite(operation)) onWrite();
    });
  }

  #check(operation: Operation, expected: readonly Expected[], replies: readonly Reply[]): void {
    const results = operation.isTransaction ? execResults(replies, operation) : replies;
    operation.commands.forEach((command, i) => {
      if (!isReply(expected[i], results[i])) {
        const words = requestOf(command).map((word) => excerpt(String(word)));
        throw new CrashFailure(
          'CRASH_REPLY',
          `client ${this.history.client}, operation ${operation.sequence}: expected ${words.join(' ')} to answer ${show(expected[i])}, got ${show(results[i])}`,
        );
      }
      this.#shared.acknowledge(command, results[i]);
    });
  }
}

/** All clients at work on one server. */
export class Load {
  acknowledged = 0;
  /** Rejects when a client meets what must not be. */
  readonly failed: Promise<never>;
  readonly #connections: Connection[];
  readonly #watchers: { count: number; resolve: () => void }[] = [];

  private constructor(connections: Connection[], clients: readonly LoadClient[], depth: number) {
    this.#connections = connections;
    this.failed = new Promise((_resolve, reject) => {
      for (const connection of connections) connection.onFailure = reject;
    });
    this.failed.catch(() => undefined);
    connections.forEach((connection, i) => {
      clients[i].run(connection, depth, () => this.#onWrite());
    });
  }

  static async start(port: number, clients: readonly LoadClient[], depth: number): Promise<Load> {
    const connections = await Promise.all(clients.map(() => Connection.open(port)));
    return new Load(connections, clients, depth);
  }

  /** Resolves when so many writes were acknowledged. */
  untilAcknowledged(count: number): Promise<void> {
    if (this.acknowledged >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }

  /** Resolves when every connection has ended and every reply was read. */
  async drained(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.closed));
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #onWrite(): void {
    this.acknowledged++;
    while (this.#watchers.length > 0 && this.acknowledged >= this.#watchers[0].count) {
      this.#watchers.shift()?.resolve();
    }
  }
}

function requestsOf(operation: Operation): RequestArgument[][] {
  const requests = operation.commands.map(requestOf);
  return operation.isTransaction ? [['MULTI'], ...requests, ['EXEC']] : requests;
}

/** The results inside EXEC's reply. */
function execResults(replies: readonly Reply[], operation: Operation): Reply[] {
  const [multi, ...queued] = replies.slice(0, -1);
  const results = replies[replies.length - 1];
  const isSound = multi === 'OK' && queued.every((reply) => reply === 'QUEUED');
  if (isSound && Array.isArray(results) && results.length === operation.commands.length) {
    return results;
  }
  throw new CrashFailure(
    'CRASH_REPLY',
    `operation ${operation.sequence}: expected OK, QUEUED and ${operation.commands.length} results, got ${replies.map(show).join(', ')}`,
  );
}

function show(reply: Reply | Expected): string {
  if (reply === undefined) return 'a positive integer';
  if (reply instanceof RespError) return `-${reply.message}`;
  if (reply instanceof Map) return `{${[...reply].map(String).map(excerpt).join(' ')}}`;
  if (Array.isArray(reply)) return `[${reply.map(show).join(', ')}]`;
  return excerpt(String(reply));
}
