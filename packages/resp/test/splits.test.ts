import { expect, it } from 'vitest';
import { RequestParser } from '../src/index.js';

it('gives the same request however the bytes are split', () => {
  const input = Buffer.from('*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n');
  for (let cut = 0; cut <= input.length; cut++) {
    const parser = new RequestParser();
    parser.push(input.subarray(0, cut));
    const early = parser.next();
    if (!early) {
      parser.push(input.subarray(cut));
      expect(parser.next()).toBe(true);
    }
    const words = Array.from({ length: parser.argc }, (_, i) =>
      parser.bytes.toString('latin1', parser.starts[i], parser.ends[i]),
    );
    expect(words).toEqual(['ECHO', 'hello']);
  }
});
