/** OBJECT and its subcommands. Source: Redis 7.0, `objectCommand`. */
import { type RecordView, ValueType } from '@nendb/engine';
import type { Call } from '../dispatch/call.js';
import { IDLE_SECONDS_MAX, SMALL_HASH_FIELDS_MAX } from '../limits.js';
import { replyHelp } from '../server/help.js';
import type { CommandSpec, Handler } from '../table/row.js';
import { hashEncoding, mayBeListpack, stringEncoding } from './encoding.js';

const KEY = 2;

const HELP = [
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
];

function encoding(call: Call) {
  const view = call.peek(KEY);
  if (view === undefined) return call.reply.null();
  if (view.type === ValueType.string) return call.reply.text(stringEncoding(view));
  const { length } = view;
  const fieldsEnd = view.fieldsExpireAtMs !== 0;
  const longest = mayBeListpack(view) ? longestOf(call) : 0;
  call.reply.text(hashEncoding(length, longest, fieldsEnd));
}

function longestOf(call: Call): number {
  let longest = 0;
  const measure = (field: Uint8Array, value: RecordView) => {
    longest = Math.max(longest, field.length, value.length);
  };
  let cursor = 0;
  do {
    cursor = call.transaction.scanFields(
      call.session.database,
      call.bytes,
      call.starts[KEY],
      call.ends[KEY],
      cursor,
      SMALL_HASH_FIELDS_MAX,
      measure,
    );
  } while (cursor !== 0);
  return longest;
}

function frequency(call: Call) {
  if (call.peek(KEY) === undefined) return call.reply.null();
  call.fail(
    'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
  );
}

function idleTime(call: Call) {
  if (call.peek(KEY) === undefined) return call.reply.null();
  const { accessTimes } = call.environment;
  const usedAtMs = accessTimes.lastUseMs(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
  );
  const idleSeconds = Math.floor((call.transaction.nowMs - usedAtMs) / 1000);
  call.reply.integer(Math.min(Math.max(0, idleSeconds), IDLE_SECONDS_MAX));
}

/** A value belongs to its key alone. */
function references(call: Call) {
  if (call.peek(KEY) === undefined) call.reply.null();
  else call.reply.integer(1);
}

function row(name: string, since: string, summary: string, handler: Handler): CommandSpec {
  return {
    name,
    arity: 3,
    flags: ['readonly'],
    group: 'generic',
    categories: ['keyspace'],
    keys: { first: KEY, last: KEY, step: 1, access: 'RO' },
    since,
    summary,
    complexity: 'O(1)',
    syntax: 'key',
    tips: ['nondeterministic_output'],
    handler,
  };
}

export const objectCommand: CommandSpec = {
  name: 'object',
  arity: -2,
  flags: [],
  group: 'generic',
  since: '2.2.3',
  summary: 'A container for object introspection commands',
  complexity: 'Depends on subcommand.',
  subcommands: [
    row('encoding', '2.2.3', 'Inspect the internal encoding of a Redis object', encoding),
    row(
      'freq',
      '4.0.0',
      'Get the logarithmic access frequency counter of a Redis object',
      frequency,
    ),
    row('idletime', '2.2.3', 'Get the time since a Redis object was last accessed', idleTime),
    row('refcount', '2.2.3', 'Get the number of references to the value of the key', references),
    {
      name: 'help',
      arity: 2,
      flags: ['loading', 'stale'],
      group: 'generic',
      categories: ['keyspace'],
      since: '6.2.0',
      summary: 'Show helpful text about the different subcommands',
      complexity: 'O(1)',
      handler: (call) => replyHelp(call, 'OBJECT', HELP),
    },
  ],
};
