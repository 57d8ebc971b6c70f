/**
 * DEBUG: off, unless the dispatcher was told otherwise, and small then. Source: Redis 7.0, `debug.c`.
 */
import { ValueType } from '@nendb/engine';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { NO_SUCH_KEY, subcommandSyntax } from '../errors.js';
import { replyHelp } from './help.js';

const NOT_ALLOWED =
  'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.';

const HELP_WORD = word('help');
const OBJECT = word('object');
const PROTOCOL = word('protocol');

const HELP = [
  'OBJECT <key>',
  '    Show low level info about `key` and associated value.',
  'PROTOCOL <type>',
  '    Reply with a test value of the specified type. <type> can be: string, integer,',
  '    double, null, array, set, map, verbatim, true, false.',
];

export function debug(call: Call) {
  if (!call.environment.debugAllowed) return call.fail(NOT_ALLOWED);
  if (call.is(1, HELP_WORD)) return replyHelp(call, 'DEBUG', HELP);
  if (call.argc === 3 && call.is(1, OBJECT)) return describe(call);
  if (call.argc === 3 && call.is(1, PROTOCOL)) return example(call);
  call.fail(subcommandSyntax('debug', call.quote(1)));
}

function describe(call: Call) {
  const { engine } = call.environment;
  const transaction = engine.begin();
  try {
    const { session, bytes, starts, ends } = call;
    const view = transaction.find(session.database, bytes, starts[2], ends[2]);
    if (view === undefined) return call.fail(NO_SUCH_KEY);
    const type = view.type === ValueType.string ? 'string' : 'hash';
    call.reply.simple(
      `Value type:${type} length:${view.length} expireAtMs:${view.expireAtMs} lsn:${engine.appliedLsn}`,
    );
  } finally {
    engine.abort();
  }
}

/** What each type looks like in the protocol that the connection speaks. */
function example(call: Call) {
  const { reply } = call;
  const examples: Readonly<Record<string, () => void>> = {
    string: () => reply.text('Hello World'),
    integer: () => reply.integer(12345),
    double: () => reply.double(3.25),
    null: () => reply.null(),
    array: () => {
      reply.array(3);
      for (let i = 0; i < 3; i++) reply.integer(i);
    },
    set: () => {
      reply.set(3);
      for (let i = 0; i < 3; i++) reply.integer(i);
    },
    map: () => {
      reply.map(3);
      for (let i = 0; i < 3; i++) {
        reply.integer(i);
        reply.boolean(i === 1);
      }
    },
    verbatim: () => reply.verbatim('txt', 'This is a verbatim\nstring'),
    true: () => reply.boolean(true),
    false: () => reply.boolean(false),
  };
  const name = call.text(2).toLowerCase();
  if (Object.hasOwn(examples, name)) examples[name]();
  else
    call.fail(
      'ERR Wrong protocol type name. Please use one of the following: string|integer|double|null|array|set|map|verbatim|true|false',
    );
}
