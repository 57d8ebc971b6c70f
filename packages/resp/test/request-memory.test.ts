import { describe, expect, it } from 'vitest';
import { encodeRequest, RequestParser } from '../src/index.js';
import { words } from './request-model.js';

function externalBytes(): number {
  const { arrayBuffers } = process.memoryUsage();
  return arrayBuffers;
}

describe('memory follows what was received', () => {
  it('reads a request where it lies in its chunk', () => {
    const chunk = Buffer.concat([encodeRequest(['GET', 'a']), encodeRequest(['GET', 'b'])]);
    const parser = new RequestParser();
    parser.push(chunk);
    parser.next();
    expect(parser.bytes).toBe(chunk);
    parser.next();
    expect(parser.bytes).toBe(chunk);
    expect(parser.next()).toBe(false);
    expect(parser.bytes).not.toBe(chunk);
  });

  it('gathers only the request that is cut, and reads on in the chunk', () => {
    const input = Buffer.concat([
      encodeRequest(['SET', 'k', 'value']),
      encodeRequest(['GET', 'k']),
    ]);
    for (let cut = 1; cut < encodeRequest(['SET', 'k', 'value']).length; cut++) {
      const second = input.subarray(cut);
      const parser = new RequestParser();
      parser.push(input.subarray(0, cut));
      expect(parser.next()).toBe(false);
      expect(parser.pendingBytes).toBe(cut);
      parser.push(second);
      expect(parser.next()).toBe(true);
      expect(parser.bytes).not.toBe(second);
      expect(parser.next()).toBe(true);
      expect(words(parser)).toEqual(['GET', 'k']);
      expect(parser.bytes).toBe(second);
    }
  });

  it('reserves nothing for lengths that are only declared', () => {
    const before = externalBytes();
    const parsers = Array.from({ length: 200 }, () => {
      const parser = new RequestParser();
      parser.push(Buffer.from('*1048576\r\n$536870912\r\nabc'));
      expect(parser.next()).toBe(false);
      return parser;
    });
    expect(externalBytes() - before).toBeLessThan(4_000_000);
    for (const parser of parsers) {
      expect(parser.starts.length).toBeLessThan(64);
      expect(parser.bytes.length).toBeLessThan(1024);
    }
  });

  it('at most doubles what a long argument brings, and ends at its very length', () => {
    const length = 3_000_000;
    const parser = new RequestParser();
    const head = Buffer.from(`*2\r\n$4\r\nECHO\r\n$${length}\r\n`);
    parser.push(head);
    expect(parser.next()).toBe(false);
    const piece = Buffer.alloc(60_000, 0x61);
    for (let sent = 0; sent < length; sent += piece.length) {
      parser.push(piece);
      expect(parser.next()).toBe(false);
      expect(parser.bytes.length).toBeLessThanOrEqual(2 * parser.pendingBytes);
    }
    expect(parser.bytes.length).toBe(head.length + length + 2);
    parser.push(Buffer.from('\r\n'));
    expect(parser.next()).toBe(true);
    expect(parser.ends[1] - parser.starts[1]).toBe(length);
    expect(parser.next()).toBe(false);
    expect(parser.bytes.length).toBe(0);
    expect(parser.pendingBytes).toBe(0);
  });

  it('holds a line without an end to its limit', () => {
    const parser = new RequestParser();
    parser.push(Buffer.from('GE'));
    parser.next();
    parser.push(Buffer.alloc(50_000_000, 0x61));
    const before = externalBytes();
    expect(() => parser.next()).toThrow('too big inline request');
    expect(externalBytes() - before).toBeLessThan(1_000_000);
  });

  it('gathers a line of full length byte by byte in little more than its length', () => {
    const parser = new RequestParser();
    const letter = Buffer.from('a');
    let early = 0;
    for (let i = 0; i < 65_536; i++) {
      parser.push(letter);
      if (parser.next()) early++;
    }
    expect(early).toBe(0);
    expect(parser.bytes.length).toBeLessThanOrEqual(2 * 65_536);
    parser.push(Buffer.from('\n'));
    expect(parser.next()).toBe(true);
    expect(parser.ends[0]).toBe(65_536);
  });

  it('makes nothing on the heap per request or argument', () => {
    const request = encodeRequest(['HSET', 'key', 'f1', 'v1', 'f2', 'v2', 'f3', 'v3']);
    const count = 4000;
    const chunk = Buffer.concat(Array.from({ length: count }, () => request));
    const parser = new RequestParser();
    const round = () => {
      parser.push(chunk);
      let sum = 0;
      while (parser.next()) sum += parser.argc;
      return sum;
    };
    expect(round()).toBe(count * 8);
    // 32,000 views would take over 3 MB. A collection in between can only make a round look
    // cheaper, so the most expensive of several rounds is what counts.
    let most = 0;
    for (let i = 0; i < 6; i++) {
      const before = process.memoryUsage().heapUsed;
      round();
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    expect(most).toBeLessThan(1_000_000);
  });
});
