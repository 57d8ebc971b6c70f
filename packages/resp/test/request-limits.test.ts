import { describe, expect, it } from 'vitest';
import { ProtocolError, RequestParser, type RequestParserOptions } from '../src/index.js';
import { cutAt, parseChunks, words } from './request-model.js';

function errorOf(input: string | Buffer, options?: RequestParserOptions): ProtocolError {
  const parser = new RequestParser(options);
  parser.push(Buffer.from(input));
  try {
    while (parser.next());
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('expected a protocol error, got none');
}

describe('answers with the error texts of Redis', () => {
  it.each([
    ['*x\r\n', 'invalid multibulk length', 'RESP_INVALID_MULTIBULK_LENGTH'],
    ['*1048577\r\n', 'invalid multibulk length', 'RESP_INVALID_MULTIBULK_LENGTH'],
    ['*99999999999999999999\r\n', 'invalid multibulk length', 'RESP_INVALID_MULTIBULK_LENGTH'],
    ['*1\r\n$x\r\n', 'invalid bulk length', 'RESP_INVALID_BULK_LENGTH'],
    ['*1\r\n$-1\r\n', 'invalid bulk length', 'RESP_INVALID_BULK_LENGTH'],
    ['*1\r\n$536870913\r\n', 'invalid bulk length', 'RESP_INVALID_BULK_LENGTH'],
    ['*1\r\n:5\r\n', "expected '$', got ':'", 'RESP_EXPECTED_BULK'],
    ['*1\r\nx\r\n', "expected '$', got 'x'", 'RESP_EXPECTED_BULK'],
    [`${'a'.repeat(65_537)}`, 'too big inline request', 'RESP_TOO_BIG_INLINE'],
    [`*${'1'.repeat(65_536)}`, 'too big mbulk count string', 'RESP_TOO_BIG_MULTIBULK_COUNT'],
    [`*1\r\n$${'1'.repeat(65_536)}`, 'too big bulk count string', 'RESP_TOO_BIG_BULK_COUNT'],
    ['SET "k v\r\n', 'unbalanced quotes in request', 'RESP_UNBALANCED_QUOTES'],
  ])('%.20j', (input, text, code) => {
    const error = errorOf(input);
    expect(error.message).toBe(`Protocol error: ${text}`);
    expect(error.code).toBe(code);
  });

  it('keeps answering with the same error', () => {
    const parser = new RequestParser();
    parser.push(Buffer.from('*x\r\n*1\r\n$4\r\nPING\r\n'));
    expect(() => parser.next()).toThrow('invalid multibulk length');
    parser.push(Buffer.from('*1\r\n$4\r\nPING\r\n'));
    expect(() => parser.next()).toThrow('invalid multibulk length');
    expect(parser.pendingBytes).toBe(0);
  });

  it('hands out the requests before the error first', () => {
    expect(parseChunks([Buffer.from('PING\r\nGET k\r\n*x\r\nPING\r\n')])).toEqual({
      requests: [['PING'], ['GET', 'k']],
      error: 'Protocol error: invalid multibulk length',
    });
  });
});

describe('takes what is just within a limit', () => {
  it('an inline command of 64 KiB, and no byte more, however it is cut', () => {
    const line = Buffer.from(`${'a'.repeat(65_536)}\n`);
    for (const cut of [1, 256, 65_535, 65_536]) {
      expect(parseChunks(cutAt(line, [cut])).requests[0][0]).toHaveLength(65_536);
    }
    const longer = Buffer.concat([Buffer.from('a'), line]);
    for (const cut of [0, 1, 256, 65_536, 65_537]) {
      expect(parseChunks(cutAt(longer, [cut])).error).toBe(
        'Protocol error: too big inline request',
      );
    }
  });

  it('1,048,576 arguments', () => {
    const parser = new RequestParser();
    parser.push(Buffer.from(`*1048576\r\n${'$0\r\n\r\n'.repeat(1_048_576)}PING\r\n`));
    expect(parser.next()).toBe(true);
    expect(parser.argc).toBe(1_048_576);
    expect(parser.next()).toBe(true);
    expect(words(parser)).toEqual(['PING']);
    expect(parser.starts.length).toBeLessThan(4096);
  });

  it('an argument as long as the limit that is set', () => {
    const parser = new RequestParser({ bulkBytesMax: 5 });
    parser.push(Buffer.from('*1\r\n$5\r\nhello\r\n*1\r\n$6\r\nhello!\r\n'));
    expect(parser.next()).toBe(true);
    expect(() => parser.next()).toThrow('Protocol error: invalid bulk length');
  });

  it('a limit that changes between requests', () => {
    const parser = new RequestParser({ bulkBytesMax: 5 });
    parser.push(Buffer.from('*1\r\n$5\r\nhello\r\n*1\r\n$6\r\nhello!\r\n'));
    parser.next();
    parser.bulkBytesMax = 6;
    expect(parser.next()).toBe(true);
    expect(words(parser)).toEqual(['hello!']);
  });
});

describe('before authentication', () => {
  const unauthenticated = { authenticated: false };

  it('takes ten arguments of 16 KiB', () => {
    const input = Buffer.from(`*10\r\n${`$16384\r\n${'x'.repeat(16_384)}\r\n`.repeat(10)}`);
    expect(parseChunks([input], unauthenticated).requests[0]).toHaveLength(10);
  });

  it('refuses more arguments, and longer ones, by their headers', () => {
    const many = errorOf('*11\r\n', unauthenticated);
    expect(many.message).toBe('Protocol error: unauthenticated multibulk length');
    expect(many.code).toBe('RESP_UNAUTHENTICATED_MULTIBULK_LENGTH');
    const long = errorOf('*1\r\n$16385\r\n', unauthenticated);
    expect(long.message).toBe('Protocol error: unauthenticated bulk length');
    expect(long.code).toBe('RESP_UNAUTHENTICATED_BULK_LENGTH');
  });

  it('prefers the error that holds for everybody', () => {
    expect(errorOf('*1048577\r\n', unauthenticated).message).toContain('invalid multibulk');
    expect(errorOf('*1\r\n$536870913\r\n', unauthenticated).message).toContain('invalid bulk');
  });

  it('takes a large request pipelined behind the AUTH that succeeded', () => {
    const parser = new RequestParser(unauthenticated);
    const large = `*2\r\n$4\r\nECHO\r\n$20000\r\n${'x'.repeat(20_000)}\r\n`;
    parser.push(Buffer.from(`*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n${large}`));
    expect(parser.next()).toBe(true);
    parser.authenticated = true;
    expect(parser.next()).toBe(true);
    expect(parser.ends[1] - parser.starts[1]).toBe(20_000);
  });
});
