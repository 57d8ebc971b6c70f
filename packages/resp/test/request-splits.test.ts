import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRequest, RequestParser } from '../src/index.js';
import { cutAt, modelRequests, parseChunks, words } from './request-model.js';
import { seeds } from './seeds.js';

/** Streams by name: each is read whole, in two parts at every place, and byte by byte. */
const corpus: Record<string, string> = {
  'one request': '*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n',
  'empty arguments': '*3\r\n$3\r\nSET\r\n$0\r\n\r\n$0\r\n\r\n',
  'line breaks and markers inside an argument': '*2\r\n$3\r\nGET\r\n$12\r\n*1\r\n$4\r\nPI\r\n\r\n',
  'a pipeline': '*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nQUIT\r\n',
  'arrays of nothing between requests': '*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n*-7\r\n*0\r\n',
  'inline commands': 'PING\r\nset  k   v \r\n\r\n\n  \r\nGET k\n',
  'inline quotes': 'SET "a b" \'c d\'\r\nSET k "\\x41\\n\\"" \r\n',
  'inline and arrays by turns': 'PING\r\n*1\r\n$4\r\nPING\r\nGET "k"\r\n*1\r\n$4\r\nQUIT\r\n',
  'a zero byte inside an argument': '*1\r\n$3\r\na\0b\r\nGET a\0b\r\n',
  'two-digit lengths': `*12\r\n${'$10\r\n0123456789\r\n'.repeat(12)}PING\r\n`,
  'half a header': '*1\r\n$4\r\nPING\r\n*2\r\n$3',
  'half an argument': '*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$5\r\nhel',
  'bytes other than CR LF where those belong': '*1\rX$4\rXPINGXX*1\r\n$4\r\nPING\r\n',
  'no dollar': '*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n:5\r\n',
  'no number': '*1\r\n$4\r\nPING\r\n*x\r\n',
  'a negative length': 'PING\r\n*1\r\n$-1\r\n',
  'a leading zero': '*01\r\n$4\r\nPING\r\n',
  'a sign': '*+1\r\n$4\r\nPING\r\n',
  'nothing where a count belongs': '*\r\n',
  'too many elements': '*1048577\r\n',
  'a length over 512 MiB': '*1\r\n$536870913\r\n',
  'unbalanced quotes': 'PING\r\nSET "k v\r\nPING\r\n',
  'a quote that closes too early': 'SET "k"v x\r\n',
};

describe('a stream means the same however it is cut', () => {
  it.each(Object.entries(corpus))('%s', (_name, text) => {
    const input = Buffer.from(text, 'latin1');
    const expected = modelRequests(text);
    expect(parseChunks([input])).toEqual(expected);
    for (let cut = 1; cut < input.length; cut++) {
      expect(parseChunks(cutAt(input, [cut])), `cut at ${cut}`).toEqual(expected);
    }
    const everyByte = cutAt(input, Array.from(input.keys()));
    expect(parseChunks(everyByte)).toEqual(expected);
  });

  it.each([1, 2, 3, 7])('every pair of cuts of a pipeline, from offset %i', (first) => {
    const text = corpus['inline and arrays by turns'];
    const input = Buffer.from(text, 'latin1');
    const expected = modelRequests(text);
    for (let a = first; a < input.length; a += 4) {
      for (let b = a + 1; b < input.length; b++) {
        expect(parseChunks(cutAt(input, [a, b])), `cuts at ${a}, ${b}`).toEqual(expected);
      }
    }
  });

  it('chunks pushed before any is read', () => {
    const input = Buffer.from(corpus['a pipeline'].repeat(5), 'latin1');
    for (let size = 1; size < 40; size++) {
      const parser = new RequestParser();
      for (let at = 0; at < input.length; at += size) parser.push(input.subarray(at, at + size));
      expect(parser.pendingBytes).toBe(input.length);
      const requests: string[][] = [];
      while (parser.next()) requests.push(words(parser));
      expect(requests).toEqual(modelRequests(input.toString('latin1')).requests);
      expect(parser.pendingBytes).toBe(0);
    }
  });

  it('a chunk pushed while a request is being handled leaves that request alone', () => {
    const parser = new RequestParser();
    parser.push(Buffer.from('*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGE'));
    expect(parser.next()).toBe(true);
    parser.push(Buffer.from('T\r\n$1\r\nk\r\n'));
    expect(words(parser)).toEqual(['PING']);
    expect(parser.next()).toBe(true);
    expect(words(parser)).toEqual(['GET', 'k']);
  });
});

const binary = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const request = fc
  .array(binary, { minLength: 1, maxLength: 8 })
  .map((args) =>
    encodeRequest(args.map((argument) => Buffer.from(argument, 'latin1'))).toString('latin1'),
  );
const inlineText = fc
  .array(
    fc.constantFrom('a', 'B', ' ', ' ', '"', "'", '\\', '\\x', '41', 'n', '\t', '\v', '\r', '\0'),
    { maxLength: 24 },
  )
  .map((parts) => `${parts.join('')}\r\n`);
const inlineSound = fc
  .array(fc.constantFrom('GET', 'k', '"a b"', "'c'", '"\\x00\\""', 'x"y"', "'\\''"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => `${parts.join(' ')}\r\n`);
const header = fc
  .tuple(
    fc.constantFrom('*', '$', ':', ''),
    fc.constantFrom('0', '1', '-1', '2', '10', '007', '-0', '', 'x', '99999999999', '-99', ' 1'),
    fc.constantFrom('\r\n', '\r', '\n', ''),
  )
  .map((parts) => parts.join(''));
const sound = fc.oneof(
  { weight: 6, arbitrary: request },
  { weight: 2, arbitrary: inlineSound },
  { weight: 1, arbitrary: fc.constantFrom('*0\r\n', '*-1\r\n', '\r\n') },
);
const broken = fc.oneof(sound, inlineText, header, binary);
const cuts = fc.array(fc.nat(600), { maxLength: 12 });

describe('agrees with the grammar', () => {
  it.each(seeds)('on sound pipelines cut anywhere (%s)', (_name, seed) => {
    fc.assert(
      fc.property(fc.array(sound, { maxLength: 12 }), cuts, (parts, offsets) => {
        const text = parts.join('');
        const outcome = parseChunks(cutAt(Buffer.from(text, 'latin1'), offsets));
        expect(outcome).toEqual(modelRequests(text));
      }),
      { seed, numRuns: 400 },
    );
  });

  it.each(seeds)('on garbage, half frames and bad headers cut anywhere (%s)', (_name, seed) => {
    fc.assert(
      fc.property(
        fc.array(broken, { maxLength: 8 }),
        cuts,
        fc.boolean(),
        (parts, offsets, authenticated) => {
          const text = parts.join('');
          const input = Buffer.from(text, 'latin1');
          const expected = modelRequests(text, { authenticated });
          expect(parseChunks([input], { authenticated })).toEqual(expected);
          expect(parseChunks(cutAt(input, offsets), { authenticated })).toEqual(expected);
        },
      ),
      { seed, numRuns: 600 },
    );
  });

  it.each(seeds)('on sound pipelines with one byte changed (%s)', (_name, seed) => {
    fc.assert(
      fc.property(
        fc.array(sound, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        cuts,
        (parts, place, byte, offsets) => {
          const input = Buffer.from(parts.join(''), 'latin1');
          input[place % input.length] = byte;
          expect(parseChunks(cutAt(input, offsets))).toEqual(
            modelRequests(input.toString('latin1')),
          );
        },
      ),
      { seed, numRuns: 400 },
    );
  });
});
