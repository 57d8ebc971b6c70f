import { describe, expect, it } from 'vitest';
import { type Protocol, ReplyWriter } from '../src/index.js';

function written(write: (writer: ReplyWriter) => void, protocol: Protocol = 2): string {
  const writer = new ReplyWriter({ protocol });
  write(writer);
  return writer.take().toString();
}

/** What is written, its bytes in RESP2, its bytes in RESP3 where they differ. */
const golden: [string, (writer: ReplyWriter) => void, string, string?][] = [
  ['simple', (w) => w.simple('OK'), '+OK\r\n'],
  ['simple, not ASCII', (w) => w.simple('schön'), '+schön\r\n'],
  ['error', (w) => w.error('ERR syntax error'), '-ERR syntax error\r\n'],
  ['error with line breaks', (w) => w.error('ERR a\r\nb\nc'), '-ERR a  b c\r\n'],
  ['long error', (w) => w.error(`ERR ${'é'.repeat(99)}`), `-ERR ${'é'.repeat(99)}\r\n`],
  ['integer 0', (w) => w.integer(0), ':0\r\n'],
  ['integer -0', (w) => w.integer(-0), ':0\r\n'],
  ['integer 9', (w) => w.integer(9), ':9\r\n'],
  ['integer 10', (w) => w.integer(10), ':10\r\n'],
  ['integer -1', (w) => w.integer(-1), ':-1\r\n'],
  ['integer 2^31 - 1', (w) => w.integer(2 ** 31 - 1), ':2147483647\r\n'],
  ['integer 2^31', (w) => w.integer(2 ** 31), ':2147483648\r\n'],
  ['integer 2^53 - 1', (w) => w.integer(2 ** 53 - 1), ':9007199254740991\r\n'],
  ['integer -2^53 + 1', (w) => w.integer(-(2 ** 53 - 1)), ':-9007199254740991\r\n'],
  ['integer 2^63 - 1', (w) => w.integer(2n ** 63n - 1n), ':9223372036854775807\r\n'],
  ['integer -2^63', (w) => w.integer(-(2n ** 63n)), ':-9223372036854775808\r\n'],
  ['bulk', (w) => w.bulk(Buffer.from('hello')), '$5\r\nhello\r\n'],
  ['part of a bulk', (w) => w.bulk(Buffer.from('hello'), 1, 3), '$2\r\nel\r\n'],
  ['empty bulk', (w) => w.bulk(Buffer.alloc(0)), '$0\r\n\r\n'],
  ['long bulk', (w) => w.bulk(Buffer.alloc(500, 'x')), `$500\r\n${'x'.repeat(500)}\r\n`],
  [
    'part of a long bulk',
    (w) => w.bulk(Buffer.from('a'.repeat(200) + 'b'.repeat(200)), 100, 300),
    `$200\r\n${'a'.repeat(100)}${'b'.repeat(100)}\r\n`,
  ],
  ['text', (w) => w.text('héllo'), '$6\r\nhéllo\r\n'],
  ['long text', (w) => w.text('é'.repeat(100)), `$200\r\n${'é'.repeat(100)}\r\n`],
  ['null', (w) => w.null(), '$-1\r\n', '_\r\n'],
  ['null array', (w) => w.nullArray(), '*-1\r\n', '_\r\n'],
  ['array', (w) => w.array(3), '*3\r\n'],
  ['map', (w) => w.map(3), '*6\r\n', '%3\r\n'],
  ['set', (w) => w.set(3), '*3\r\n', '~3\r\n'],
  ['push', (w) => w.push(3), '*3\r\n', '>3\r\n'],
  ['double 1.5', (w) => w.double(1.5), '$3\r\n1.5\r\n', ',1.5\r\n'],
  ['double 3', (w) => w.double(3), '$1\r\n3\r\n', ',3\r\n'],
  ['double -0', (w) => w.double(-0), '$2\r\n-0\r\n', ',-0\r\n'],
  ['double 1e300', (w) => w.double(1e300), '$6\r\n1e+300\r\n', ',1e+300\r\n'],
  ['double inf', (w) => w.double(Number.POSITIVE_INFINITY), '$3\r\ninf\r\n', ',inf\r\n'],
  ['double -inf', (w) => w.double(Number.NEGATIVE_INFINITY), '$4\r\n-inf\r\n', ',-inf\r\n'],
  ['double nan', (w) => w.double(Number.NaN), '$3\r\nnan\r\n', ',nan\r\n'],
  ['true', (w) => w.boolean(true), ':1\r\n', '#t\r\n'],
  ['false', (w) => w.boolean(false), ':0\r\n', '#f\r\n'],
  [
    'big number',
    (w) => w.bigNumber(-(10n ** 20n)),
    `$22\r\n-1${'0'.repeat(20)}\r\n`,
    `(-1${'0'.repeat(20)}\r\n`,
  ],
  ['verbatim', (w) => w.verbatim('txt', 'é\r\n'), '$4\r\né\r\n\r\n', '=8\r\ntxt:é\r\n\r\n'],
  ['raw', (w) => w.raw(Buffer.from('*1\r\n:1\r\n')), '*1\r\n:1\r\n'],
];

describe('writes the bytes that each protocol calls for', () => {
  it.each(golden)('%s', (_name, write, resp2, resp3) => {
    expect(written(write, 2)).toBe(resp2);
    expect(written(write, 3)).toBe(resp3 ?? resp2);
  });

  it('changes the protocol in the middle, as HELLO does', () => {
    const writer = new ReplyWriter();
    writer.null();
    writer.protocol = 3;
    writer.null();
    expect(writer.take().toString()).toBe('$-1\r\n_\r\n');
  });

  it('formats every number of digits as JavaScript does', () => {
    const writer = new ReplyWriter();
    for (let power = 1; power <= 2 ** 53; power *= 7) {
      for (const value of [power - 1, power, power + 1, -power]) {
        if (!Number.isSafeInteger(value)) continue;
        writer.integer(value);
        expect(writer.take().toString()).toBe(`:${value}\r\n`);
      }
    }
  });
});

describe('one buffer', () => {
  it('never writes to what was taken', () => {
    const writer = new ReplyWriter();
    const taken: [Buffer, string][] = [];
    for (let i = 0; i < 3000; i++) {
      writer.integer(i);
      writer.text('x'.repeat(i % 97));
      if (i % 50 === 0) writer.bulk(Buffer.alloc(i * 10, i));
      const bytes = writer.take();
      taken.push([bytes, bytes.toString('latin1')]);
    }
    for (const [bytes, text] of taken) expect(bytes.toString('latin1')).toBe(text);
  });

  it('shares slabs between the replies of a quiet connection', () => {
    const writer = new ReplyWriter();
    const slabs = new Set<ArrayBufferLike>();
    for (let i = 0; i < 2000; i++) {
      writer.simple('OK');
      slabs.add(writer.take().buffer);
    }
    expect(slabs.size).toBeLessThan(6);
  });

  it('grows around a long pipeline', () => {
    const writer = new ReplyWriter();
    let expected = '';
    for (let i = 0; i < 20_000; i++) {
      writer.integer(i);
      expected += `:${i}\r\n`;
    }
    expect(writer.length).toBe(expected.length);
    expect(writer.take().toString()).toBe(expected);
    expect(writer.length).toBe(0);
  });

  it('lets go of a large buffer once it is taken', () => {
    const writer = new ReplyWriter();
    writer.text('x'.repeat(40_000));
    writer.text('y'.repeat(1000));
    expect(writer.take()).toHaveLength(8 + 40_000 + 2 + 7 + 1000 + 2);
    expect(writer.bytes).toHaveLength(0);
    writer.simple('OK');
    expect(writer.take().toString()).toBe('+OK\r\n');
  });

  it('lets a store copy a value straight into a reserved bulk string', () => {
    const writer = new ReplyWriter();
    writer.array(2);
    const first = writer.reserveBulk(3);
    writer.bytes.set(Buffer.from('abc'), first);
    const second = writer.reserveBulk(100_000);
    writer.bytes.fill('z', second, second + 100_000);
    expect(writer.take().toString()).toBe(
      `*2\r\n$3\r\nabc\r\n$100000\r\n${'z'.repeat(100_000)}\r\n`,
    );
  });

  it('rolls back to an earlier length', () => {
    const writer = new ReplyWriter();
    writer.simple('taken');
    writer.take();
    writer.simple('OK');
    const kept = writer.length;
    writer.array(2);
    writer.bulk(Buffer.alloc(5000));
    writer.rewind(kept);
    writer.error('ERR no');
    expect(writer.take().toString()).toBe('+OK\r\n-ERR no\r\n');
  });

  it('takes nothing where nothing was written', () => {
    expect(new ReplyWriter().take()).toHaveLength(0);
  });
});

describe('refuses what the protocol cannot say', () => {
  it.each([
    ['a fraction', (w: ReplyWriter) => w.integer(1.5)],
    ['2^53', (w: ReplyWriter) => w.integer(2 ** 53)],
    ['2^63', (w: ReplyWriter) => w.integer(2n ** 63n)],
    ['a format of four letters', (w: ReplyWriter) => w.verbatim('text', 'x')],
    ['a rewind past the end', (w: ReplyWriter) => w.rewind(1)],
    ['a rewind to before the start', (w: ReplyWriter) => w.rewind(-1)],
  ])('%s', (_name, write) => {
    const writer = new ReplyWriter({ protocol: 3 });
    expect(() => write(writer)).toThrow(RangeError);
    expect(writer.length).toBe(0);
  });
});
