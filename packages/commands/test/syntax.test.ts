import { describe, expect, it } from 'vitest';
import { commandTable, parseSyntax } from '../src/index.js';

describe('the syntax of a row', () => {
  it('says names, types, tokens, what may be left out and what repeated', () => {
    expect(parseSyntax('key field:s start:i rate:d at:t glob:p target:k')).toMatchObject(
      ['key', 'string', 'integer', 'double', 'unix-time', 'pattern', 'key'].map((type) => ({
        type,
      })),
    );
    expect(parseSyntax('[EX/seconds:i] GET/path...+ name...')).toMatchObject([
      { name: 'seconds', token: 'EX', optional: true, multiple: false },
      { name: 'path', token: 'GET', optional: false, multiple: true, multipleToken: true },
      { name: 'name', multiple: true, multipleToken: false },
    ]);
    expect(parseSyntax('NX/ ASYNC/async! ip:port SKIPME/yes/no')).toMatchObject([
      { name: 'nx', type: 'pure-token', token: 'NX' },
      { name: 'async', type: 'pure-token', token: 'ASYNC' },
      { name: 'ip:port', type: 'string' },
      { name: 'yes/no', token: 'SKIPME' },
    ]);
    expect(parseSyntax('[when(NX/ | at{EX/ s:i})] FIELDS/fields{count:i field...}')).toMatchObject([
      {
        name: 'when',
        type: 'oneof',
        optional: true,
        parts: [{ name: 'nx' }, { type: 'block', parts: [{ name: 'ex' }, { name: 's' }] }],
      },
      { name: 'fields', type: 'block', token: 'FIELDS', parts: [{}, { multiple: true }] },
    ]);
    expect(parseSyntax('')).toEqual([]);
  });

  it('that is none is a mistake in the table', () => {
    for (const text of ['[key', 'a(b', '[]', '&']) {
      expect(() => parseSyntax(text), text).toThrow(/expected .* of the syntax/);
    }
  });

  it('of every row has as many keys as its key range', () => {
    for (const command of commandTable.byIndex) {
      const keys = keysIn(parseSyntax(command.spec.syntax ?? ''));
      const { firstKey } = command;
      expect(keys > 0, command.fullName).toBe(firstKey > 0);
    }
  });
});

function keysIn(items: ReturnType<typeof parseSyntax>): number {
  return items.reduce(
    (sum, item) => sum + Number(item.type === 'key') + keysIn([...item.parts]),
    0,
  );
}
