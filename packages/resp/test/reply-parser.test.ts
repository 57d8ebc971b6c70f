import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeRequest,
  type Protocol,
  ProtocolError,
  type Reply,
  type ReplyFrame,
  ReplyParser,
  type ReplyParserOptions,
  ReplyWriter,
  RequestParser,
  RespDouble,
  RespError,
  RespVerbatim,
} from '../src/index.js';
import { cutAt, words } from './request-model.js';
import { seeds } from './seeds.js';

function parse(chunks: readonly Uint8Array[], options?: ReplyParserOptions): ReplyFrame[] {
  const parser = new ReplyParser(options);
  const frames: ReplyFrame[] = [];
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    parser.push(lent);
    lent.fill(0x21);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) frames.push(frame);
  }
  return frames;
}

const bytes = (text: string) => Buffer.from(text);

/** Bytes, and what they mean. */
const golden: [string, ReplyFrame[]][] = [
  ['+OK\r\n', [{ value: 'OK' }]],
  ['+\r\n', [{ value: '' }]],
  ['-ERR no\r\n', [{ value: new RespError('ERR no') }]],
  [':42\r\n:-7\r\n:+5\r\n', [{ value: 42 }, { value: -7 }, { value: 5 }]],
  [':9223372036854775807\r\n', [{ value: 9223372036854775807n }]],
  ['$5\r\nhe\r\no\r\n', [{ value: bytes('he\r\no') }]],
  ['$0\r\n\r\n', [{ value: bytes('') }]],
  ['$-1\r\n*-1\r\n_\r\n', [{ value: null }, { value: null }, { value: null }]],
  ['*0\r\n%0\r\n~0\r\n', [{ value: [] }, { value: new Map() }, { value: new Set() }]],
  ['*2\r\n*1\r\n:1\r\n*0\r\n', [{ value: [[1], []] }]],
  ['*2\r\n-ERR a\r\n_\r\n', [{ value: [new RespError('ERR a'), null] }]],
  [
    '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n#t\r\n',
    [
      {
        value: new Map<Reply, Reply>([
          ['a', 1],
          ['b', [true]],
        ]),
      },
    ],
  ],
  ['~2\r\n+a\r\n#f\r\n', [{ value: new Set(['a', false]) }]],
  [',1.5\r\n', [{ value: new RespDouble(1.5) }]],
  [
    ',-inf\r\n,nan\r\n',
    [{ value: new RespDouble(Number.NEGATIVE_INFINITY) }, { value: new RespDouble(Number.NaN) }],
  ],
  ['(12345678901234567890123\r\n', [{ value: 12345678901234567890123n }]],
  ['!9\r\nERR a\r\nbc\r\n', [{ value: new RespError('ERR a\r\nbc') }]],
  ['=8\r\ntxt:some\r\n', [{ value: new RespVerbatim('txt', 'some') }]],
  ['>2\r\n+message\r\n:1\r\n:2\r\n', [{ value: ['message', 1], push: true }, { value: 2 }]],
  ['|1\r\n+ttl\r\n:3\r\n:2\r\n', [{ value: 2 }]],
  ['*2\r\n|1\r\n+a\r\n*1\r\n:9\r\n:1\r\n|0\r\n:2\r\n', [{ value: [1, 2] }]],
];

describe('a reply means the same however it is cut', () => {
  it.each(golden)('%j', (text, expected) => {
    const input = bytes(text);
    expect(parse([input])).toEqual(expected);
    for (let cut = 1; cut < input.length; cut++) {
      expect(parse(cutAt(input, [cut])), `cut at ${cut}`).toEqual(expected);
    }
    expect(parse(cutAt(input, Array.from(input.keys())))).toEqual(expected);
  });

  it('gives bulk strings as text where asked to', () => {
    const frames = parse([bytes('%1\r\n$1\r\nk\r\n$6\r\nh\u00e9llo\r\n')], { bulk: 'text' });
    expect(frames).toEqual([{ value: new Map([['k', 'h\u00e9llo']]) }]);
  });

  it('names the code of an error', () => {
    expect(new RespError('WRONGTYPE Operation').code).toBe('WRONGTYPE');
    expect(new RespError('LOADING').code).toBe('LOADING');
  });
});

/** A reply to write, and what a client reads of it in RESP3. */
type Sample = { write: (writer: ReplyWriter) => void; value: Reply };

const scalar: fc.Arbitrary<Sample> = fc.oneof(
  fc.maxSafeInteger().map((value) => ({ write: (w: ReplyWriter) => w.integer(value), value })),
  fc
    .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
    .filter((value) => !Number.isSafeInteger(Number(value)))
    .map((value) => ({ write: (w: ReplyWriter) => w.integer(value), value })),
  fc.uint8Array({ maxLength: 80 }).map((array) => {
    const value = Buffer.from(array);
    return { write: (w: ReplyWriter) => w.bulk(value), value };
  }),
  fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => ({
    write: (w: ReplyWriter) => w.text(text),
    value: Buffer.from(text),
  })),
  fc.double().map((number) => ({
    write: (w: ReplyWriter) => w.double(number),
    value: new RespDouble(number),
  })),
  fc.boolean().map((value) => ({ write: (w: ReplyWriter) => w.boolean(value), value })),
  fc.bigInt().map((value) => ({ write: (w: ReplyWriter) => w.bigNumber(value), value })),
  fc.constant({ write: (w: ReplyWriter) => w.null(), value: null }),
  fc.constant({ write: (w: ReplyWriter) => w.simple('OK'), value: 'OK' }),
  fc.constant({ write: (w: ReplyWriter) => w.error('ERR x'), value: new RespError('ERR x') }),
  fc.constant({
    write: (w: ReplyWriter) => w.verbatim('mkd', '# h'),
    value: new RespVerbatim('mkd', '# h'),
  }),
);

const { reply } = fc.letrec<{ reply: Sample }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('reply'), { maxLength: 5 }).map((items) => ({
      write: (w: ReplyWriter) => {
        w.array(items.length);
        for (const item of items) item.write(w);
      },
      value: items.map((item) => item.value),
    })),
    fc.dictionary(fc.string({ maxLength: 5 }), tie('reply'), { maxKeys: 3 }).map((samples) => ({
      write: (w: ReplyWriter) => {
        w.map(Object.keys(samples).length);
        for (const [key, sample] of Object.entries(samples)) {
          w.simple(key);
          sample.write(w);
        }
      },
      value: new Map(Object.entries(samples).map(([key, sample]) => [key, sample.value])),
    })),
  ),
}));

describe('reads back what the writer wrote', () => {
  it.each(seeds)('in RESP3, cut anywhere (%s)', (_name, seed) => {
    fc.assert(
      fc.property(
        fc.array(reply, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        (samples, offsets) => {
          const writer = new ReplyWriter({ protocol: 3 });
          for (const sample of samples) sample.write(writer);
          const frames = parse(cutAt(writer.take(), offsets));
          expect(frames).toEqual(samples.map(({ value }) => ({ value })));
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it.each(seeds)('a request as arguments, byte for byte (%s)', (_name, seed) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array(), { minLength: 1, maxLength: 9 }), (args) => {
        const parser = new RequestParser();
        parser.push(encodeRequest(args));
        expect(parser.next()).toBe(true);
        expect(words(parser)).toEqual(args.map((a) => Buffer.from(a).toString('latin1')));
        expect(parser.next()).toBe(false);
        expect(parser.pendingBytes).toBe(0);
      }),
      { seed, numRuns: 200 },
    );
  });

  it('a request of strings and numbers', () => {
    const request = encodeRequest(['SET', 'k\u00e9', 12, 2n ** 60n, bytes('v')]);
    expect(request.toString()).toBe(
      '*5\r\n$3\r\nSET\r\n$3\r\nk\u00e9\r\n$2\r\n12\r\n$19\r\n1152921504606846976\r\n$1\r\nv\r\n',
    );
  });
});

describe('refuses what is no reply, and keeps refusing', () => {
  it.each([
    ['HTTP/1.1 400 Bad Request\r\n'],
    ['\n'],
    ['+OK\n'],
    [':x\r\n'],
    [':1.5\r\n'],
    [',abc\r\n'],
    ['#x\r\n'],
    ['(1.5\r\n'],
    ['$-2\r\n'],
    ['$?\r\n'],
    ['$1073741825\r\n'],
    ['*134217729\r\n'],
    ['*-2\r\n'],
    ['~-1\r\n'],
    ['$2\r\nabc\r\n'],
    ['=3\r\ntxt\r\n'],
    ['>0\r\n'],
    ['*1\r\n>1\r\n+x\r\n'],
    ['*1\r\n'.repeat(65)],
    [`+${'x'.repeat(65_537)}`],
  ])('%.24j', (text) => {
    const parser = new ReplyParser();
    parser.push(bytes(text));
    let first: unknown;
    try {
      for (let i = 0; i < 100; i++) parser.next();
    } catch (error) {
      first = error;
    }
    expect(first).toBeInstanceOf(ProtocolError);
    expect(first).toMatchObject({ code: 'RESP_INVALID_REPLY' });
    parser.push(bytes('+OK\r\n'));
    expect(() => parser.next()).toThrow(first as Error);
  });

  it.each(seeds)('never hangs or overflows on garbage (%s)', (_name, seed) => {
    const pieces = fc.constantFrom(
      '*2\r\n',
      '%1\r\n',
      '|1\r\n',
      '>1\r\n',
      ':1\r\n',
      '$3\r\n',
      'abc',
      '\r\n',
      '_\r\n',
      '-',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), fc.array(fc.nat(80)), (parts, offsets) => {
        const input = bytes(parts.join(''));
        const whole = outcome([input]);
        expect(outcome(cutAt(input, offsets))).toEqual(whole);
      }),
      { seed, numRuns: 400 },
    );
  });

  it('reserves nothing for lengths that are only declared', () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 100 }, () => {
      const parser = new ReplyParser();
      parser.push(bytes('*134217728\r\n$1073741824\r\nabc'));
      expect(parser.next()).toBeUndefined();
      return parser;
    });
    expect(parsers[0].pendingBytes).toBe(3);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
  });
});

/** Frames before the error, and the error's text. */
function outcome(chunks: readonly Buffer[]): { frames: ReplyFrame[]; error?: string } {
  const parser = new ReplyParser();
  const frames: ReplyFrame[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    try {
      for (let frame = parser.next(); frame !== undefined; frame = parser.next())
        frames.push(frame);
    } catch (error) {
      return { frames, error: (error as Error).message };
    }
  }
  return { frames };
}

it.each<Protocol>([2, 3])('an EXEC of every kind reads as one frame in RESP%i', (protocol) => {
  const writer = new ReplyWriter({ protocol });
  writer.array(3);
  writer.simple('OK');
  writer.map(1);
  writer.text('f');
  writer.text('v');
  writer.nullArray();
  const inner = protocol === 3 ? new Map([['f', 'v']]) : ['f', 'v'];
  expect(parse([writer.take()], { bulk: 'text' })).toEqual([{ value: ['OK', inner, null] }]);
});
