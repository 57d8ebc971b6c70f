import { describe, expect, it } from 'vitest';
import { keyAfter, Oracle, OracleError, type OracleErrorCode } from '../src/index.js';

function key(text: string): Uint8Array {
  return Buffer.from(text);
}

function refusal(code: OracleErrorCode, text: RegExp = /^expected .*, got|^expected .*, it/) {
  return expect.objectContaining({
    name: 'OracleError',
    code,
    message: expect.stringMatching(text),
  });
}

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('timestamps', () => {
  it('grow by one with each commit that writes, and a snapshot is the last one', () => {
    const oracle = new Oracle();
    const first = oracle.begin();
    expect(first.readTimestamp).toBe(0);
    first.write(key('a'));
    expect(oracle.commit(first)).toBe(1);
    const second = oracle.begin();
    expect(second.readTimestamp).toBe(1);
    second.write(key('a'));
    expect(oracle.commit(second)).toBe(2);
    expect(oracle.advance()).toBe(3);
    expect(oracle.lastCommitted).toBe(3);
  });

  it('go on where the owner stopped, and may be the owner’s', () => {
    const oracle = new Oracle({ lastCommitted: 41 });
    const txn = oracle.begin();
    expect(txn.readTimestamp).toBe(41);
    txn.write(key('a'));
    expect(oracle.commit(txn, 100)).toBe(100);
    expect(oracle.advance(200)).toBe(200);
    expect(oracle.begin().readTimestamp).toBe(200);
  });

  it('must grow: a commit with one that does not leaves the transaction open', () => {
    const oracle = new Oracle({ lastCommitted: 10 });
    const txn = oracle.begin();
    txn.read(key('a'));
    txn.write(key('b'));
    for (const bad of [10, 9, -1, 10.5, Number.NaN, 2 ** 53]) {
      expect(errorOf(() => oracle.commit(txn, bad))).toEqual(refusal('TXN_BAD_TIMESTAMP'));
      expect(errorOf(() => oracle.advance(bad))).toEqual(refusal('TXN_BAD_TIMESTAMP'));
    }
    expect(oracle.stats()).toMatchObject({ open: 1, points: 1, commits: 0 });
    expect(oracle.commit(txn, 11)).toBe(11);
  });

  it('are not taken by a transaction that wrote nothing: it stands at its snapshot', () => {
    const oracle = new Oracle({ lastCommitted: 5 });
    const txn = oracle.begin();
    txn.read(key('a'));
    oracle.advance();
    expect(oracle.commit(txn)).toBe(5);
    expect(oracle.lastCommitted).toBe(6);
    expect(oracle.commit(oracle.begin(), 9), 'unless the owner has given it one').toBe(9);
    expect(oracle.lastCommitted).toBe(9);
  });
});

describe('a transaction whose reads have changed', () => {
  it('is refused if it has written, says why, and has ended', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.read(key('a'));
    txn.write(key('b'));
    const other = oracle.begin();
    other.write(key('a'));
    oracle.commit(other);
    expect(txn.conflicted).toBe(true);
    expect(errorOf(() => oracle.commit(txn))).toEqual(
      refusal('TXN_CONFLICT', /changed by the commit at 1: run it again$/),
    );
    expect(txn.open).toBe(false);
    expect(oracle.lastCommitted).toBe(1);
    expect(oracle.stats()).toMatchObject({ open: 0, commits: 1, conflicts: 1 });
  });

  it('commits if it has only read', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.readRange(key('a'));
    oracle.noteWrite(key('b'));
    expect(txn.conflicted).toBe(true);
    expect(oracle.commit(txn)).toBe(0);
  });

  it('is known at once where its read came too late', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.write(key('a'));
    txn.sawNewer();
    txn.sawNewer();
    expect(txn.conflicted).toBe(true);
    expect(errorOf(() => oracle.commit(txn))).toEqual(
      refusal('TXN_CONFLICT', /newer than its snapshot at 0: run it again$/),
    );
  });

  it('is forgotten at once, and remembers no more reads', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.read(key('a'));
    txn.readRange(key('b'), key('c'));
    expect(oracle.hasReaders).toBe(true);
    expect(txn.points).toBe(1);
    oracle.noteWrite(key('bb'));
    expect(txn.points).toBe(0);
    expect(oracle.stats()).toMatchObject({ open: 1, points: 0, ranges: 0, readBytes: 0 });
    txn.read(key('x'));
    txn.readRange(key('y'));
    expect(oracle.hasReaders).toBe(false);
  });

  it('is found by `validate` before the owner has written anything', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.read(key('a'));
    txn.write(key('a'));
    oracle.validate(txn);
    expect(txn.open).toBe(true);
    oracle.noteWrite(key('a'));
    expect(errorOf(() => oracle.validate(txn))).toEqual(refusal('TXN_CONFLICT'));
    expect(txn.open).toBe(false);
    expect(errorOf(() => oracle.commit(txn))).toEqual(refusal('TXN_CLOSED'));
  });
});

describe('a transaction is not hit', () => {
  it('by its own writes', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.read(key('a'));
    txn.readRange(key('a'), key('z'));
    txn.write(key('a'));
    txn.writeRange(key('a'), key('z'));
    expect(oracle.commit(txn)).toBe(1);
  });

  it('by what an aborted or refused transaction would have written', () => {
    const oracle = new Oracle();
    const reader = oracle.begin();
    reader.read(key('a'));
    const aborted = oracle.begin();
    aborted.write(key('a'));
    aborted.abort();
    const refused = oracle.begin();
    refused.write(key('a'));
    refused.sawNewer();
    expect(errorOf(() => oracle.commit(refused))).toEqual(refusal('TXN_CONFLICT'));
    expect(reader.conflicted).toBe(false);
  });

  it('by the neighbours of a range: its end is not in it, `keyAfter` makes it so', () => {
    const oracle = new Oracle();
    const open = oracle.begin();
    open.readRange(key('b'), key('d'));
    const closed = oracle.begin();
    closed.readRange(key('b'), keyAfter(key('d')));
    oracle.noteWrite(key('a'));
    oracle.noteWrite(key('d\0'));
    expect([open.conflicted, closed.conflicted]).toEqual([false, false]);
    oracle.noteWrite(key('d'));
    expect([open.conflicted, closed.conflicted]).toEqual([false, true]);
    oracle.noteWrite(key('b'));
    expect(open.conflicted).toBe(true);
  });

  it('by empty ranges, nor does it read any', () => {
    const oracle = new Oracle();
    const txn = oracle.begin();
    txn.readRange(key('b'), key('b'));
    txn.readRange(key('c'), key('b'));
    expect(oracle.hasReaders).toBe(false);
    txn.readRange(key('a'), key('d'));
    txn.read(key('x'));
    oracle.noteRange(key('b'), key('b'));
    oracle.noteRange(key('y'), key('x'));
    expect(txn.conflicted).toBe(false);
    const writer = oracle.begin();
    writer.writeRange(key('b'), key('a'));
    expect(oracle.commit(writer)).toBe(0);
  });

  it('if it was begun to read only', () => {
    const oracle = new Oracle();
    const txn = oracle.begin({ readOnly: true });
    txn.read(key('a'));
    txn.readRange(key('a'));
    txn.sawNewer();
    expect(oracle.hasReaders).toBe(false);
    oracle.noteWrite(key('a'));
    expect(txn.conflicted).toBe(false);
    expect(errorOf(() => txn.write(key('a')))).toEqual(refusal('TXN_READ_ONLY'));
    expect(errorOf(() => txn.writeRange(key('a')))).toEqual(refusal('TXN_READ_ONLY'));
    expect(oracle.commit(txn)).toBe(0);
  });
});

describe('a transaction that has ended', () => {
  it('refuses every call but `abort`', () => {
    const oracle = new Oracle();
    const committed = oracle.begin();
    oracle.commit(committed);
    const aborted = oracle.begin();
    aborted.abort();
    for (const txn of [committed, aborted]) {
      txn.abort();
      expect(txn.open).toBe(false);
      for (const call of [
        () => txn.read(key('a')),
        () => txn.readRange(key('a')),
        () => txn.sawNewer(),
        () => txn.write(key('a')),
        () => txn.writeRange(key('a')),
        () => oracle.validate(txn),
        () => oracle.commit(txn),
      ]) {
        expect(errorOf(call)).toEqual(refusal('TXN_CLOSED'));
      }
    }
    expect(oracle.stats().open).toBe(0);
  });

  it('belongs to one oracle', () => {
    const txn = new Oracle().begin();
    expect(() => new Oracle().commit(txn)).toThrow(TypeError);
    expect(() => new Oracle().validate(txn)).toThrow(/that this oracle has begun, got another$/);
    expect(txn.open).toBe(true);
  });
});

describe('limits', () => {
  it('bound the transactions that are open', () => {
    const oracle = new Oracle({ openTransactionsMax: 2 });
    const first = oracle.begin();
    oracle.begin({ readOnly: true });
    expect(errorOf(() => oracle.begin())).toEqual(refusal('TXN_TOO_MANY'));
    first.abort();
    expect(oracle.begin().open).toBe(true);
  });

  it('bound what a transaction writes, in number and bytes; what was refused is not written', () => {
    const oracle = new Oracle({ writesPerTransactionMax: 3, writeBytesPerTransactionMax: 10 });
    const reader = oracle.begin();
    reader.read(key('too long a key'));
    const txn = oracle.begin();
    txn.write(key('a'));
    expect(errorOf(() => txn.write(key('too long a key')))).toEqual(refusal('TXN_TOO_LARGE'));
    expect(errorOf(() => txn.writeRange(key('12345'), key('67890')))).toEqual(
      refusal('TXN_TOO_LARGE'),
    );
    txn.writeRange(key('b'), key('c'));
    txn.write(key('d'));
    expect(errorOf(() => txn.write(key('e')))).toEqual(refusal('TXN_TOO_LARGE'));
    expect(errorOf(() => txn.writeRange(key('e')))).toEqual(refusal('TXN_TOO_LARGE'));
    expect(oracle.commit(txn)).toBe(1);
    expect(reader.conflicted).toBe(false);
  });

  it.each([
    [{ lastCommitted: -1 }],
    [{ lastCommitted: 1.5 }],
    [{ hashSeed: Number.NaN }],
    [{ openTransactionsMax: 0 }],
    [{ readsPerTransactionMax: 0 }],
    [{ rangesPerTransactionMax: 0 }],
    [{ readBytesMax: -1 }],
    [{ writesPerTransactionMax: Number.POSITIVE_INFINITY }],
    [{ writeBytesPerTransactionMax: 0 }],
  ])('%o is refused', (options) => {
    expect(errorOf(() => new Oracle(options))).toEqual(refusal('TXN_BAD_OPTION'));
    expect(() => new Oracle(options)).toThrow(OracleError);
  });
});
