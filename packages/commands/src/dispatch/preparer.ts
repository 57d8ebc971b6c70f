/**
 * Makes keys ready before a command runs: the only step that may wait (R8).
 *
 * An answer of `true` holds until control goes back to the event loop, and other commands run while
 * one waits: whoever waited asks again, until all keys are ready in the turn in which it runs. The
 * keys are views of the request's bytes; the engine reads them before `prepare` returns.
 */
import type { EngineView } from '@nendb/engine';
import { parseSafeInteger } from '../bytes/integers.js';
import { DATABASES } from '../limits.js';
import type { Command } from '../table/row.js';
import type { CommandTable } from '../table/table.js';
import { QueueReader, type TransactionQueue } from './queue.js';
import type { Request } from './request.js';

export class KeyPreparer {
  readonly #engine: EngineView;
  /** Reused: most commands have one key. */
  readonly #keys: Uint8Array[] = [];
  readonly #table: CommandTable;
  readonly #reader = new QueueReader();

  constructor(engine: EngineView, table: CommandTable) {
    this.#engine = engine;
    this.#table = table;
  }

  /** The keys of one command. */
  prepare(database: number, command: Command, request: Request): true | Promise<void> {
    const keys = this.#keys;
    collectKeys(command, request, keys, 0);
    const here = this.#engine.prepare(database, keys);
    const other = otherDatabaseOf(command, request);
    if (other === undefined) return here;
    const there = this.#engine.prepare(other, keys.slice(-1));
    if (here === true) return there;
    return there === true ? here : Promise.all([here, there]).then(() => undefined);
  }

  /** The keys of a whole transaction, which may SELECT other databases on its way. */
  prepareAll(database: number, queue: TransactionQueue): true | Promise<void> {
    const byDatabase = new Map<number, Uint8Array[]>();
    let selected = database;
    const reader = this.#reader;
    for (reader.open(queue); reader.next(); ) {
      const command = this.#table.byIndex[reader.commandIndex];
      if (command.spec.name === 'select') selected = selectedBy(reader, selected);
      if (command.firstKey === 0) continue;
      const keys = keysOf(byDatabase, selected);
      collectKeys(command, reader, keys, keys.length);
      const other = otherDatabaseOf(command, reader);
      if (other !== undefined) keysOf(byDatabase, other).push(keys[keys.length - 1]);
    }
    const waits: Promise<void>[] = [];
    for (const [number, keys] of byDatabase) {
      const ready = this.#engine.prepare(number, keys);
      if (ready !== true) waits.push(ready);
    }
    return waits.length === 0 ? true : Promise.all(waits).then(() => undefined);
  }
}

/** Puts the command's keys into `keys` from `at` on, as its last elements. */
function collectKeys(command: Command, request: Request, keys: Uint8Array[], at: number): void {
  const last = command.lastKeyOf(request.argc);
  let next = at;
  for (let i = command.firstKey; i <= last; i += command.keyStep) {
    keys[next++] = request.bytes.subarray(request.starts[i], request.ends[i]);
  }
  if (keys.length > next) keys.length = next;
}

function keysOf(byDatabase: Map<number, Uint8Array[]>, database: number): Uint8Array[] {
  let keys = byDatabase.get(database);
  if (keys === undefined) {
    keys = [];
    byDatabase.set(database, keys);
  }
  return keys;
}

/** The database in which the command needs its last key too, where it names one. */
function otherDatabaseOf(command: Command, request: Request): number | undefined {
  const at = command.otherDatabaseAt?.(request) ?? 0;
  return at === 0
    ? undefined
    : parseSafeInteger(request.bytes, request.starts[at], request.ends[at]);
}

/** The database that a SELECT with these arguments leaves selected. */
function selectedBy(request: Request, current: number): number {
  const index = parseSafeInteger(request.bytes, request.starts[1], request.ends[1]);
  return index >= 0 && index < DATABASES ? index : current;
}
