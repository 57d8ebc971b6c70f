/**
 * What one client sent and what was acknowledged, and which states of its keys that allows.
 *
 *     acked state ──op──► ──op──► ──op──► sent state
 *                    └── in flight: the server may have got any number of these, in order ──┘
 *
 * Invariants
 *  1. A connection's operations are carried out in order, so that what a restarted server holds is
 *     the acked state and the first n operations in flight, for one n. That covers lost and
 *     invented writes, order, and half an EXEC at once.
 *  2. Keys belong to one client each, by their prefix.
 */
import { CrashFailure } from './failure.js';
import {
  apply,
  applyAll,
  type Expected,
  isFields,
  isSameState,
  isSameValue,
  type Operation,
  type State,
  sharedIncrements,
  type Value,
} from './model.js';
import { excerpt, valueFault } from './values.js';

/** What a restarted server may have counted of the operations in flight. */
export interface SharedBounds {
  /** Increments that it must hold, by counter. */
  atLeast: Map<string, number>;
  /** Increments that it may hold, by counter. */
  atMost: Map<string, number>;
}

export class History {
  readonly prefix: string;
  #acked: State = new Map();
  #sent: State = new Map();
  #inFlight: Operation[] = [];
  #ackedIncrements = new Map<string, number>();
  /** The last operation sent. */
  #sequenceMax = 0;

  constructor(readonly client: number) {
    this.prefix = `c${client}:`;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Notes an operation that is about to leave; returns the replies that must follow. */
  send(operation: Operation): Expected[] {
    this.#inFlight.push(operation);
    this.#sequenceMax = operation.sequence;
    return applyAll(this.#sent, operation);
  }

  /** Notes that the oldest operation in flight was acknowledged; returns it. */
  acknowledge(): Operation {
    const operation = this.#inFlight.shift();
    if (operation === undefined) {
      throw new CrashFailure('CRASH_REPLY', `expected no reply to client ${this.client}, one came`);
    }
    applyAll(this.#acked, operation);
    count(this.#ackedIncrements, sharedIncrements(operation), 1);
    return operation;
  }

  /**
   * Holds what a restarted server has of this client's keys against what was sent, takes it as the
   * new beginning, and returns what shared counters may show. Throws `CrashFailure`.
   */
  settle(found: State): SharedBounds {
    const candidate = new Map(this.#acked);
    const increments = new Map(this.#ackedIncrements);
    let bounds: SharedBounds | undefined;
    const consider = () => {
      if (!isSameState(candidate, found)) return;
      bounds = { atLeast: bounds?.atLeast ?? new Map(increments), atMost: new Map(increments) };
    };
    consider();
    for (const operation of this.#inFlight) {
      applyAll(candidate, operation);
      count(increments, sharedIncrements(operation), 1);
      consider();
    }
    if (bounds === undefined) throw this.#explain(found);
    this.#acked = new Map(found);
    this.#sent = new Map(found);
    this.#inFlight = [];
    this.#ackedIncrements = new Map();
    return bounds;
  }

  /** Why no number of operations in flight leads to what was found. */
  #explain(found: State): CrashFailure {
    const states = [new Map(this.#acked)];
    const halves: State[] = [];
    for (const operation of this.#inFlight) {
      const next = new Map(states[states.length - 1]);
      for (const command of operation.commands) {
        apply(next, command);
        halves.push(new Map(next));
      }
      states.push(next);
    }
    const keys = new Set([...found.keys(), ...halves.flatMap((state) => [...state.keys()])]);
    for (const key of this.#acked.keys()) keys.add(key);
    for (const key of [...keys].sort()) {
      const value = found.get(key);
      const isAsIn = (state: State) => isSameValue(state.get(key), value);
      if (states.some(isAsIn)) continue;
      const fault = faultOf(key, value, this.#sequenceMax);
      const allowed = [...new Set(states.map((state) => show(state.get(key))))];
      return new CrashFailure(
        fault !== undefined ? 'CRASH_INVENTED' : halves.some(isAsIn) ? 'CRASH_TORN' : 'CRASH_LOST',
        `${key}: expected ${allowed.join(' or ')}, found ${fault ?? show(value)}`,
      );
    }
    return new CrashFailure(
      'CRASH_TORN',
      `client ${this.client}: each key is possible, but no prefix of its ${this.#inFlight.length} operations in flight leads to all of them: ${this.#perKey(found, states)}`,
    );
  }

  /** For each key that the operations in flight change, after which of them it looks as found. */
  #perKey(found: State, states: readonly State[]): string {
    const moved = [...new Set(states.flatMap((state) => [...state.keys()]))].filter((key) =>
      states.some((state) => !isSameValue(state.get(key), states[0].get(key))),
    );
    return moved
      .sort()
      .map((key) => {
        const after = states.flatMap((state, n) =>
          isSameValue(state.get(key), found.get(key)) ? [n] : [],
        );
        return `${key} as after ${after.join('|')}`;
      })
      .join(', ');
  }
}

export function count(counters: Map<string, number>, keys: readonly string[], by: number): void {
  for (const key of keys) counters.set(key, (counters.get(key) ?? 0) + by);
}

/** What is wrong with a value that can be told without knowing what keys hold. */
function faultOf(key: string, value: Value | undefined, sequenceMax: number): string | undefined {
  if (value === undefined) return undefined;
  if (isFields(value)) {
    for (const [field, text] of value) {
      const fault = valueFault(text, `${key}/${field}`, sequenceMax);
      if (fault !== undefined) return `in field ${field} ${fault}`;
    }
    return undefined;
  }
  return /^\d+$/.test(value) ? undefined : valueFault(value, key, sequenceMax);
}

function show(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (!isFields(value)) return excerpt(value);
  const fields = [...value].sort().map(([field, text]) => `${field}=${excerpt(text)}`);
  return `{${fields.join(', ')}}`;
}
