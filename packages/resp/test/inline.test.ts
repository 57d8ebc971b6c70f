import { expect, it } from 'vitest';
import { RequestParser } from '../src/index.js';
import { words } from './request-model.js';

/** What is typed, and the arguments it means. */
const transcript: [string, string[]][] = [
  ['PING', ['PING']],
  ['  SET\tk   v  ', ['SET', 'k', 'v']],
  ['SET k "hello world"', ['SET', 'k', 'hello world']],
  ["SET k 'hello world'", ['SET', 'k', 'hello world']],
  ['SET k ""', ['SET', 'k', '']],
  ['SET k "\\n\\r\\t\\b\\a\\\\\\q"', ['SET', 'k', '\n\r\t\b\x07\\q']],
  ['SET k "\\x00\\xfF\\xg0\\x4"', ['SET', 'k', '\0\xffxg0x4']],
  ["SET k 'it\\'s \\n'", ['SET', 'k', "it's \\n"]],
  ['SET pre"fix"', ['SET', 'prefix']],
  ['SET k "a\'b" \'c"d\'', ['SET', 'k', "a'b", 'c"d']],
  ['GET k\0 ignored', ['GET', 'k']],
];

it.each(transcript)('%j', (typed, expected) => {
  const parser = new RequestParser();
  const line = Buffer.from(`${typed}\r\n`, 'latin1');
  const before = Buffer.from(line);
  parser.push(line);
  expect(parser.next()).toBe(true);
  expect(words(parser)).toEqual(expected);
  expect(line).toEqual(before);
});

it.each(['SET "k', "SET 'k", 'SET "k\\"', 'SET "k"x', "SET 'k'x", '"\\', 'x"'])(
  'refuses %j as unbalanced',
  (typed) => {
    const parser = new RequestParser();
    parser.push(Buffer.from(`${typed}\r\n`));
    expect(() => parser.next()).toThrow('Protocol error: unbalanced quotes in request');
  },
);
