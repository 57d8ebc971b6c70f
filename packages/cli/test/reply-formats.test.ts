/** Replies on a terminal, in a pipe and as JSON. */
import { type Reply, RespDouble, RespError, RespVerbatim } from '@nendb/resp';
import { describe, expect, test } from 'vitest';
import { toJson } from '../src/output/json.js';
import { formatRaw, formatTyped, replyToJson } from '../src/output/reply.js';

const nested: Reply = [
  Buffer.from('a'),
  [1, null, [Buffer.from('deep'), 2]],
  new RespError('ERR no'),
];

describe('on a terminal', () => {
  const cases: [string, Reply, string][] = [
    ['status', 'OK', 'OK'],
    ['bytes', Buffer.from('hi'), '"hi"'],
    ['escapes', Buffer.from('a"\\\n\x00\x1b\xff', 'latin1'), '"a\\"\\\\\\n\\x00\\x1b\\xff"'],
    ['integer', 42, '(integer) 42'],
    ['integer beyond 2^53', 9223372036854775807n, '(integer) 9223372036854775807'],
    ['double', new RespDouble(1), '(double) 1'],
    ['infinity', new RespDouble(Number.NEGATIVE_INFINITY), '(double) -inf'],
    ['nil', null, '(nil)'],
    ['boolean', true, '(true)'],
    ['error', new RespError('ERR \u001b[31mred'), '(error) ERR \\x1b[31mred'],
    ['status with an escape', '\u001b[2J', '\\x1b[2J'],
    ['verbatim', new RespVerbatim('txt', 'a\nb\u0007'), 'a\nb\\x07'],
    ['empty array', [], '(empty array)'],
    ['empty set', new Set<Reply>(), '(empty set)'],
    ['empty map', new Map<Reply, Reply>(), '(empty hash)'],
    [
      'nested arrays',
      nested,
      '1) "a"\n2) 1) (integer) 1\n   2) (nil)\n   3) 1) "deep"\n      2) (integer) 2\n3) (error) ERR no',
    ],
    ['map', new Map<Reply, Reply>([[Buffer.from('f'), Buffer.from('v')]]), '1# "f" => "v"'],
    ['set', new Set<Reply>([Buffer.from('m')]), '1~ "m"'],
  ];
  test.each(cases)('%s', (_name, reply, text) => {
    expect(formatTyped(reply)).toBe(`${text}\n`);
  });

  test('numbers are right-aligned', () => {
    const lines = formatTyped(Array.from({ length: 10 }, (_, i) => i)).split('\n');
    expect(lines[0]).toBe(' 1) (integer) 0');
    expect(lines[9]).toBe('10) (integer) 9');
  });
});

describe('in a pipe', () => {
  test('bytes are untouched', () => {
    const bytes = Buffer.from([0, 1, 0xff, 0x0a]);
    expect(formatRaw(bytes)).toEqual(Buffer.concat([bytes, Buffer.from('\n')]));
  });

  test('one element a line, nested ones flattened, nil an empty line', () => {
    expect(formatRaw(nested).toString()).toBe('a\n1\n\ndeep\n2\nERR no\n');
    const map = new Map<Reply, Reply>([[Buffer.from('f'), new RespDouble(0.5)]]);
    expect(formatRaw(map).toString()).toBe('f\n0.5\n');
    expect(formatRaw([]).length).toBe(0);
  });
});

describe('as JSON', () => {
  const cases: [string, Reply, unknown][] = [
    ['text', Buffer.from('grüße'), 'grüße'],
    ['bytes that are no UTF-8', Buffer.from([0xff, 0x00]), { base64: '/wA=' }],
    ['a byte order mark is kept', Buffer.from([0xef, 0xbb, 0xbf, 0x61]), '\ufeffa'],
    ['integer', 7, 7],
    ['integer beyond 2^53', 9007199254740993n, '9007199254740993'],
    ['double', new RespDouble(0.25), 0.25],
    ['double that JSON lacks', new RespDouble(Number.NaN), 'nan'],
    ['map', new Map<Reply, Reply>([[Buffer.from('b'), 1]]), { b: 1 }],
    ['__proto__ is a name like others', new Map<Reply, Reply>([['__proto__', 1]]), undefined],
    ['set', new Set<Reply>([1, 2]), [1, 2]],
    ['nested', nested, ['a', [1, null, ['deep', 2]], { error: 'ERR no' }]],
  ];
  test.each(cases)('%s', (_name, reply, value) => {
    const text = toJson(replyToJson(reply));
    if (value === undefined) expect(text).toBe('{\n  "__proto__": 1\n}\n');
    else expect(JSON.parse(text)).toEqual(value);
  });

  test('keys are sorted at every level', () => {
    expect(toJson({ b: { z: 1, a: 2 }, a: [] })).toBe(
      '{\n  "a": [],\n  "b": {\n    "a": 2,\n    "z": 1\n  }\n}\n',
    );
  });
});
