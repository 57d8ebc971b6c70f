/** Whom a change hits, compared with a model that keeps every read as it is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Oracle, type OracleOptions, type OracleTransaction } from '../src/index.js';
import { seeds } from './seeds.js';

type Key = Uint8Array;
interface Range {
  gte: Key;
  lt: Key | undefined;
}

class ModelTransaction {
  readonly points: Key[] = [];
  readonly ranges: Range[] = [];
  conflicted = false;

  constructor(readonly real: OracleTransaction) {}

  hitBy(range: Range): boolean {
    return (
      this.points.some((point) => holds(range, point)) ||
      this.ranges.some((read) => overlap(read, range))
    );
  }

  hitByKey(key: Key): boolean {
    return (
      this.points.some((point) => order(point, key) === 0) ||
      this.ranges.some((read) => holds(read, key))
    );
  }
}

function order(a: Key, b: Key): number {
  return Buffer.compare(a, b);
}

function holds({ gte, lt }: Range, key: Key): boolean {
  return order(gte, key) <= 0 && (lt === undefined || order(key, lt) < 0);
}

function isEmpty({ gte, lt }: Range): boolean {
  return lt !== undefined && order(gte, lt) >= 0;
}

function overlap(a: Range, b: Range): boolean {
  if (isEmpty(a) || isEmpty(b)) return false;
  return (
    (a.lt === undefined || order(b.gte, a.lt) < 0) && (b.lt === undefined || order(a.gte, b.lt) < 0)
  );
}

type Step =
  | { do: 'begin' }
  | { do: 'read'; at: number; key: Key }
  | { do: 'write'; at: number; key: Key }
  | { do: 'readRange'; at: number; range: Range }
  | { do: 'writeRange'; at: number; range: Range }
  | { do: 'sawNewer' | 'commit' | 'abort'; at: number }
  | { do: 'noteWrite'; key: Key }
  | { do: 'noteRange'; range: Range };

const at = fc.nat(7);

function stepsWith(key: fc.Arbitrary<Key>): fc.Arbitrary<Step[]> {
  const range = fc.record({ gte: key, lt: fc.option(key, { nil: undefined, freq: 8 }) });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const) }) },
    {
      weight: 10,
      arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'write' as const), at, key }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('readRange' as const, 'readRange' as const, 'writeRange' as const),
        at,
        range,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'commit' as const,
          'commit' as const,
          'commit' as const,
          'abort' as const,
          'sawNewer' as const,
        ),
        at,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('noteWrite' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('noteRange' as const), range }) },
  );
  return fc.array(step, { minLength: 10, maxLength: 150, size: 'max' });
}

/** Keys of few bytes, with the extreme ones among them; one is often a prefix of another. */
const shortKey = fc
  .array(fc.constantFrom(0, 1, 0x61, 0xfe, 0xff), { maxLength: 3 })
  .map((bytes) => Uint8Array.from(bytes));

/** Keys around the length up to which they are kept, alike but for their ends. */
const longKey = fc
  .tuple(fc.constantFrom(254, 255, 256, 257, 300), fc.constantFrom(0x61, 0xff), shortKey)
  .map(([length, byte, end]) => Buffer.concat([Buffer.alloc(length, byte), end]));

/** Plays the steps on both and calls `compare` with each open transaction after each step. */
function play(
  options: OracleOptions,
  steps: readonly Step[],
  compare: (model: ModelTransaction) => void,
): void {
  const oracle = new Oracle(options);
  let open: ModelTransaction[] = [];
  for (const step of steps) {
    if (step.do === 'begin' || (open.length === 0 && 'at' in step)) {
      open.push(new ModelTransaction(oracle.begin()));
    }
    if ('at' in step) {
      const model = open[step.at % open.length];
      const { real } = model;
      if (step.do === 'read') {
        real.read(step.key);
        model.points.push(step.key);
      } else if (step.do === 'readRange') {
        real.readRange(step.range.gte, step.range.lt);
        if (!isEmpty(step.range)) model.ranges.push(step.range);
      } else if (step.do === 'sawNewer') {
        real.sawNewer();
        model.conflicted = true;
      } else if (step.do === 'write' || step.do === 'writeRange') {
        const writer = new ModelTransaction(oracle.begin());
        if (step.do === 'write') {
          writer.real.write(step.key);
          markAll(open, (other) => other.hitByKey(step.key));
        } else {
          writer.real.writeRange(step.range.gte, step.range.lt);
          markAll(open, (other) => other.hitBy(step.range));
        }
        oracle.commit(writer.real);
      } else {
        if (step.do === 'commit') oracle.commit(real);
        else real.abort();
        open = open.filter((other) => other !== model);
      }
    } else if (step.do === 'noteWrite') {
      oracle.noteWrite(step.key);
      markAll(open, (other) => other.hitByKey(step.key));
    } else if (step.do === 'noteRange') {
      oracle.noteRange(step.range.gte, step.range.lt);
      markAll(open, (other) => other.hitBy(step.range));
    }
    open.forEach(compare);
  }
  for (const { real } of open) real.abort();
  expect(oracle.stats()).toMatchObject({ open: 0, points: 0, ranges: 0, readBytes: 0 });
  expect(oracle.hasReaders).toBe(false);
}

function markAll(open: readonly ModelTransaction[], hit: (model: ModelTransaction) => boolean) {
  for (const model of open) if (hit(model)) model.conflicted = true;
}

describe('a change hits', () => {
  it.each(seeds)('exactly those who have read it, while nothing is coarsened (%s)', (_n, seed) => {
    fc.assert(
      fc.property(stepsWith(shortKey), (steps) => {
        play({ hashSeed: seed }, steps, ({ conflicted, real }) =>
          expect(real.conflicted).toBe(conflicted),
        );
      }),
      { seed, numRuns: 150 },
    );
  });

  it.each(seeds)('all who have read it, when memory is short (%s)', (_n, seed) => {
    const limits = fc.constantFrom<OracleOptions>(
      { readsPerTransactionMax: 1, rangesPerTransactionMax: 1 },
      { readsPerTransactionMax: 3, rangesPerTransactionMax: 2 },
      { readsPerTransactionMax: 4, rangesPerTransactionMax: 5 },
      { readBytesMax: 0 },
      { readBytesMax: 900, rangesPerTransactionMax: 2 },
    );
    fc.assert(
      fc.property(limits, stepsWith(fc.oneof(shortKey, longKey)), (options, steps) => {
        play(options, steps, ({ conflicted, real }) => {
          if (conflicted) expect(real.conflicted).toBe(true);
        });
      }),
      { seed, numRuns: 150 },
    );
  });

  it('a long key by the whole of it, and ranges by their beginning', () => {
    const long = (end: string) => Buffer.concat([Buffer.alloc(300, 'k'), Buffer.from(end)]);
    const oracle = new Oracle();
    const reader = oracle.begin();
    reader.read(long('a'));
    oracle.noteWrite(long('b'));
    expect(reader.conflicted).toBe(false);
    const byRange = oracle.begin();
    byRange.read(long('a'));
    oracle.noteRange(long('a'), long('b'));
    expect(byRange.conflicted).toBe(true);
    oracle.noteWrite(long('a'));
    expect(reader.conflicted).toBe(true);
  });

  it('a part of the bytes where one is given', () => {
    const oracle = new Oracle();
    const reader = oracle.begin();
    reader.read(Buffer.from('[key]'), 1, 4);
    oracle.noteWrite(Buffer.from('[key]'));
    expect(reader.conflicted).toBe(false);
    oracle.noteWrite(Buffer.from('a key!'), 2, 5);
    expect(reader.conflicted).toBe(true);
  });

  it('what was read then, though its bytes have been used again since', () => {
    const oracle = new Oracle();
    const reader = oracle.begin();
    const scratch = Buffer.from('m');
    const end = Buffer.from('n');
    reader.readRange(scratch, end);
    scratch.write('x');
    end.write('z');
    oracle.noteWrite(Buffer.from('y'));
    expect(reader.conflicted).toBe(false);
    oracle.noteWrite(Buffer.from('m'));
    expect(reader.conflicted).toBe(true);
  });
});
