/**
 * What the keys of one client must hold: a plain model of the commands that the load uses.
 *
 * Invariants
 *  1. Values are immutable: a copy of a state is a copy of its map.
 *  2. A key holds one type for ever, told by its name, so that no command can be of a wrong type.
 *  3. Counters named `shared:` belong to no client and are left out of the states.
 */
import type { Reply, RequestArgument } from '@nendb/resp';

export type Value = string | ReadonlyMap<string, string>;
export type State = Map<string, Value>;

export type Command =
  | { name: 'SET'; key: string; value: string }
  | { name: 'INCR'; key: string }
  | { name: 'HSET'; key: string; fields: ReadonlyMap<string, string> }
  | { name: 'DEL'; keys: readonly string[] }
  | { name: 'GET'; key: string }
  | { name: 'HGETALL'; key: string };

/** One unit of work: a command, or several inside MULTI and EXEC. */
export interface Operation {
  sequence: number;
  commands: readonly Command[];
  isTransaction: boolean;
}

/** A reply that must follow; `undefined` for a counter that others change too. */
export type Expected = string | number | null | ReadonlyMap<string, string> | undefined;

const SHARED_PREFIX = 'shared:';

export function sharedKey(index: number): string {
  return `${SHARED_PREFIX}${index}`;
}

export function isShared(key: string): boolean {
  return key.startsWith(SHARED_PREFIX);
}

export function isWrite(operation: Operation): boolean {
  return operation.commands.some(({ name }) => name !== 'GET' && name !== 'HGETALL');
}

/** The words of a command as a client sends them. */
export function requestOf(command: Command): RequestArgument[] {
  switch (command.name) {
    case 'SET':
      return ['SET', command.key, command.value];
    case 'HSET':
      return ['HSET', command.key, ...[...command.fields].flat()];
    case 'DEL':
      return ['DEL', ...command.keys];
    default:
      return [command.name, command.key];
  }
}

/** Changes `state` as the server must, and returns the reply that it must give. */
export function apply(state: State, command: Command): Expected {
  switch (command.name) {
    case 'SET':
      state.set(command.key, command.value);
      return 'OK';
    case 'INCR': {
      if (isShared(command.key)) return undefined;
      const next = Number(textAt(state, command.key) ?? 0) + 1;
      state.set(command.key, String(next));
      return next;
    }
    case 'HSET': {
      const before = fieldsAt(state, command.key);
      const after = new Map([...before, ...command.fields]);
      state.set(command.key, after);
      return after.size - before.size;
    }
    case 'DEL':
      return command.keys.filter((key) => state.delete(key)).length;
    case 'GET':
      return textAt(state, command.key) ?? null;
    case 'HGETALL':
      return fieldsAt(state, command.key);
  }
}

export function applyAll(state: State, operation: Operation): Expected[] {
  return operation.commands.map((command) => apply(state, command));
}

/** How often an operation counts each shared counter up. */
export function sharedIncrements(operation: Operation): string[] {
  return operation.commands.flatMap((command) =>
    command.name === 'INCR' && isShared(command.key) ? [command.key] : [],
  );
}

/** Whether a RESP2 reply, with bulk strings as text, is the expected one. */
export function isReply(expected: Expected, reply: Reply): boolean {
  if (expected === undefined) return typeof reply === 'number' && reply > 0;
  if (!isFields(expected)) return expected === reply;
  if (!Array.isArray(reply) || reply.length !== expected.size * 2) return false;
  for (let i = 0; i < reply.length; i += 2) {
    if (expected.get(String(reply[i])) !== reply[i + 1]) return false;
  }
  return true;
}

export function isSameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (!isFields(a) || !isFields(b)) return a === b;
  if (a.size !== b.size) return false;
  for (const [field, value] of a) if (b.get(field) !== value) return false;
  return true;
}

export function isSameState(a: State, b: State): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!isSameValue(value, b.get(key))) return false;
  return true;
}

export function isFields(value: unknown): value is ReadonlyMap<string, string> {
  return value instanceof Map;
}

function textAt(state: State, key: string): string | undefined {
  const value = state.get(key);
  return isFields(value) ? undefined : value;
}

function fieldsAt(state: State, key: string): ReadonlyMap<string, string> {
  const value = state.get(key);
  return isFields(value) ? value : new Map();
}
