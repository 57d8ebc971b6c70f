import { describe, expect, it } from 'vitest';
import { History, type SharedBounds } from '../src/history.js';
import { CrashFailure } from '../src/index.js';
import type { Command, State } from '../src/model.js';
import { SharedCounters } from '../src/shared-counters.js';
import { describeValue, valueFault } from '../src/values.js';

const set = (key: string, sequence: number): Command => ({
  name: 'SET',
  key,
  value: describeValue(1, sequence, key, 3),
});
const incr = (key: string): Command => ({ name: 'INCR', key });
const textOf = (command: Command) => (command.name === 'SET' ? command.value : '');

/** A client with these operations sent, the first `acked` of them acknowledged. */
function historyOf(operations: readonly (readonly Command[])[], acked: number): History {
  const history = new History(1);
  operations.forEach((commands, i) => {
    history.send({ sequence: i + 1, commands, isTransaction: commands.length > 1 });
  });
  for (let i = 0; i < acked; i++) history.acknowledge();
  return history;
}

function codeOf(settle: () => unknown): string {
  try {
    settle();
  } catch (error) {
    if (error instanceof CrashFailure) return error.code;
    throw error;
  }
  return 'nothing found';
}

const a1 = set('c1:a', 1);
const a2 = set('c1:a', 2);
const b1 = set('c1:b', 1);
const b2 = set('c1:b', 2);
const found = (...commands: Command[]): State =>
  new Map(commands.map((command) => [command.name === 'SET' ? command.key : '', textOf(command)]));

describe('what a restarted server may hold', () => {
  it('is all that was acknowledged and any first part of what was in flight', () => {
    const operations = [[a1], [b1], [a2], [b2]];
    for (const state of [found(a1, b1), found(a2, b1), found(a2, b2)]) {
      expect(codeOf(() => historyOf(operations, 2).settle(state))).toBe('nothing found');
    }
  });

  it('is not less than was acknowledged', () => {
    const operations = [[a1], [b1], [a2]];
    expect(codeOf(() => historyOf(operations, 3).settle(found(a1, b1)))).toBe('CRASH_LOST');
    expect(codeOf(() => historyOf(operations, 3).settle(found(a2)))).toBe('CRASH_LOST');
    expect(codeOf(() => historyOf(operations, 3).settle(new Map()))).toBe('CRASH_LOST');
  });

  it('is not what nobody sent, or what was damaged', () => {
    const operations = [[a1]];
    const other = found(a1, set('c1:z', 9));
    expect(codeOf(() => historyOf(operations, 1).settle(other))).toBe('CRASH_INVENTED');
    const damaged: State = new Map([['c1:a', textOf(a1).replace('xxx', 'xyx')]]);
    expect(codeOf(() => historyOf(operations, 1).settle(damaged))).toBe('CRASH_INVENTED');
    const misplaced: State = new Map([['c1:a', textOf(b1)]]);
    expect(codeOf(() => historyOf(operations, 1).settle(misplaced))).toBe('CRASH_INVENTED');
  });

  it('is not a later operation without an earlier one', () => {
    const operations = [[a1], [b1], [a2], [b2]];
    expect(codeOf(() => historyOf(operations, 2).settle(found(a1, b2)))).toBe('CRASH_TORN');
  });

  it('is not half of an EXEC', () => {
    const operations = [[a1], [b1], [a2, b2]];
    expect(codeOf(() => historyOf(operations, 2).settle(found(a2, b1)))).toBe('CRASH_TORN');
    expect(codeOf(() => historyOf(operations, 3).settle(found(a2, b1)))).toBe('CRASH_LOST');
    const twice = [[a1], [a2, set('c1:a', 3)]];
    expect(codeOf(() => historyOf(twice, 1).settle(found(a2)))).toBe('CRASH_TORN');
  });

  it('is the beginning of what comes next', () => {
    const history = historyOf([[a1], [a2]], 1);
    history.settle(found(a1));
    expect(history.inFlight).toBe(0);
    expect(codeOf(() => history.settle(found(a2)))).toBe('CRASH_LOST');
    expect(codeOf(() => history.settle(found(a1)))).toBe('nothing found');
  });
});

describe('counters that all clients share', () => {
  const key = 'shared:0';
  const operation = { sequence: 1, commands: [incr(key)], isTransaction: false };

  function bounds(least: number, most: number): SharedBounds[] {
    return [{ atLeast: new Map([[key, least]]), atMost: new Map([[key, most]]) }];
  }

  function countersAfter(sent: number, acknowledged: readonly number[]): SharedCounters {
    const counters = new SharedCounters();
    for (let i = 0; i < sent; i++) counters.send(operation);
    for (const value of acknowledged) counters.acknowledge(incr(key), value);
    return counters;
  }

  it('lie between what was acknowledged and what was sent', () => {
    const settled = (value: string) =>
      codeOf(() => countersAfter(5, [1, 2, 3]).settle(new Map([[key, value]]), bounds(3, 5)));
    expect(['2', '3', '4', '5', '6', 'x'].map(settled)).toEqual([
      'CRASH_COUNTER',
      'nothing found',
      'nothing found',
      'nothing found',
      'CRASH_COUNTER',
      'CRASH_COUNTER',
    ]);
  });

  it('do not fall below the highest value that was acknowledged', () => {
    const counters = countersAfter(5, [1, 4]);
    expect(codeOf(() => counters.settle(new Map([[key, '3']]), bounds(2, 5)))).toBe(
      'CRASH_COUNTER',
    );
  });

  it('do not vanish', () => {
    const counters = countersAfter(2, [1, 2]);
    expect(codeOf(() => counters.settle(new Map(), bounds(2, 2)))).toBe('CRASH_COUNTER');
  });

  it('answer no value twice, and none that nobody counted up to', () => {
    expect(codeOf(() => countersAfter(3, [1, 2, 2]))).toBe('CRASH_COUNTER');
    expect(codeOf(() => countersAfter(2, [3]))).toBe('CRASH_COUNTER');
  });

  it('are bounded by which operations of their clients are there', () => {
    const history = historyOf([[incr(key)], [a1], [incr(key)], [incr(key), a2]], 1);
    const [least, most] = [1, 2];
    const result = history.settle(found(a1));
    expect(result.atLeast.get(key)).toBe(least);
    expect(result.atMost.get(key)).toBe(most);
  });
});

it('values tell where they belong and whether they are whole', () => {
  const value = describeValue(3, 77, 'c3:s1', 20);
  expect(valueFault(value, 'c3:s1', 77)).toBeUndefined();
  expect(valueFault(value, 'c3:s1', 76)).toBe('sequence 77, which was never sent');
  expect(valueFault(value, 'c3:s2', 77)).toBe('the value of c3:s1, sequence 77');
  expect(valueFault(value.replace('~xx', '~x'), 'c3:s1', 77)).toContain('a checksum that fails');
  expect(valueFault('boo', 'c3:s1', 77)).toContain('no value that anybody wrote');
});
