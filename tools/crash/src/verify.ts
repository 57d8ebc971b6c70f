/** Reads a whole database through a client and holds it against what the clients remember. */
import type { Reply } from '@nendb/resp';
import type { Connection } from './connection.js';
import { CrashFailure } from './failure.js';
import type { History } from './history.js';
import { isShared, type State } from './model.js';
import type { SharedCounters } from './shared-counters.js';

const SCAN_COUNT = 500;

/** Every key of the database, with its value. */
export async function readDatabase(connection: Connection): Promise<State> {
  const keys = await scanKeys(connection);
  const size = await connection.request('DBSIZE');
  if (size !== keys.length) {
    throw new CrashFailure(
      'CRASH_REPLY',
      `expected DBSIZE to count the ${keys.length} keys that SCAN found, got ${String(size)}`,
    );
  }
  const types = await connection.requestAll(keys.map((key) => ['TYPE', key]));
  const values = await connection.requestAll(
    keys.map((key, i) => [types[i] === 'hash' ? 'HGETALL' : 'GET', key]),
  );
  return new Map(keys.map((key, i) => [key, valueFrom(key, values[i])]));
}

/**
 * Throws `CrashFailure` where a restarted server holds what it must not or lacks what it must have;
 * otherwise takes what it holds as the new beginning.
 */
export function settleAll(
  found: State,
  histories: readonly History[],
  shared: SharedCounters,
): void {
  const parts = new Map(histories.map((history) => [history.prefix, new Map() as State]));
  const counters: State = new Map();
  for (const [key, value] of found) {
    const part = isShared(key) ? counters : parts.get(key.slice(0, key.indexOf(':') + 1));
    if (part === undefined) {
      throw new CrashFailure('CRASH_INVENTED', `expected no key ${key}, found one`);
    }
    part.set(key, value);
  }
  const bounds = histories.map((history) => history.settle(parts.get(history.prefix) as State));
  shared.settle(counters, bounds);
}

async function scanKeys(connection: Connection): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const reply = await connection.request('SCAN', cursor, 'COUNT', SCAN_COUNT);
    const [next, page] = Array.isArray(reply) ? reply : [];
    if (typeof next !== 'string' || !Array.isArray(page)) {
      throw new CrashFailure('CRASH_REPLY', 'expected SCAN to answer a cursor and keys');
    }
    for (const key of page) keys.add(String(key));
    cursor = next;
  } while (cursor !== '0');
  return [...keys].sort();
}

function valueFrom(key: string, reply: Reply): string | Map<string, string> {
  if (typeof reply === 'string') return reply;
  if (!Array.isArray(reply)) {
    throw new CrashFailure('CRASH_REPLY', `expected ${key} to hold a value, got ${String(reply)}`);
  }
  const fields = new Map<string, string>();
  for (let i = 0; i < reply.length; i += 2) fields.set(String(reply[i]), String(reply[i + 1]));
  return fields;
}
