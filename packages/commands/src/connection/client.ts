/** CLIENT and its subcommands. */
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { BAD_CLIENT_NAME, SYNTAX } from '../errors.js';
import { replyHelp } from '../server/help.js';
import type { Session } from '../session.js';
import type { CommandFlag, CommandSpec, Handler } from '../table/row.js';
import { clientLine } from './client-line.js';
import { isClientName } from './client-name.js';

const ON = word('on');
const OFF = word('off');
const TYPE = word('type');
const ID = word('id');
const NORMAL = word('normal');
const OTHER_TYPES = ['master', 'replica', 'slave', 'pubsub'].map(word);
const LIB_NAME = word('lib-name');
const LIB_VER = word('lib-ver');

const HELP = [
  'GETNAME',
  '    Return the name of the current connection.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> ...]]',
  '    Return information about client connections.',
  'NO-EVICT (ON|OFF)',
  '    Protect current client connection from eviction.',
  'NO-TOUCH (ON|OFF)',
  '    Do not count reads of this connection as uses of a key.',
  'SETINFO (LIB-NAME|LIB-VER) <value>',
  '    Say which library the client uses.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
];

function getName(call: Call) {
  if (call.session.name === '') call.reply.null();
  else call.reply.text(call.session.name);
}

function setName(call: Call) {
  if (!isClientName(call, 2)) return call.fail(BAD_CLIENT_NAME);
  call.session.name = call.text(2);
  call.ok();
}

function setInfo(call: Call) {
  const isLibraryName = call.is(2, LIB_NAME);
  if (!isLibraryName && !call.is(2, LIB_VER)) {
    return call.fail(`ERR Unrecognized option '${call.quote(2)}'`);
  }
  if (!isClientName(call, 3)) {
    return call.fail(
      `ERR ${isLibraryName ? 'lib-name' : 'lib-ver'} cannot contain spaces, newlines or special characters.`,
    );
  }
  if (isLibraryName) call.session.libraryName = call.text(3);
  else call.session.libraryVersion = call.text(3);
  call.ok();
}

function id(call: Call) {
  call.reply.integer(call.session.id);
}

function info(call: Call) {
  const { host } = call.environment;
  call.reply.verbatim('txt', `${clientLine(call.session, host)}\n`);
}

function list(call: Call) {
  const { host } = call.environment;
  let wanted: Set<number> | undefined;
  let noneOfType = false;
  if (call.argc === 4 && call.is(2, TYPE)) {
    if (OTHER_TYPES.some((type) => call.is(3, type))) noneOfType = true;
    else if (!call.is(3, NORMAL)) return call.fail(`ERR Unknown client type '${call.quote(3)}'`);
  } else if (call.argc > 3 && call.is(2, ID)) {
    wanted = new Set();
    for (let i = 3; i < call.argc; i++) {
      const number = parseSafeInteger(call.bytes, call.starts[i], call.ends[i]);
      if (!(number > 0)) return call.fail('ERR Invalid client ID');
      wanted.add(number);
    }
  } else if (call.argc !== 2) {
    return call.fail(SYNTAX);
  }
  let lines = '';
  const sessions: Iterable<Session> = noneOfType ? [] : host.sessions();
  for (const session of sessions) {
    if (wanted === undefined || wanted.has(session.id)) lines += `${clientLine(session, host)}\n`;
  }
  call.reply.verbatim('txt', lines);
}

/** Reads ON or OFF in the last argument; replies the error and returns `undefined` otherwise. */
function onOff(call: Call): boolean | undefined {
  if (call.is(2, ON)) return true;
  if (call.is(2, OFF)) return false;
  call.fail(SYNTAX);
  return undefined;
}

function noEvict(call: Call) {
  const on = onOff(call);
  if (on === undefined) return;
  call.session.noEvict = on;
  call.ok();
}

function noTouch(call: Call) {
  const on = onOff(call);
  if (on === undefined) return;
  call.session.noTouch = on;
  call.ok();
}

const QUIET: readonly CommandFlag[] = ['noscript', 'loading', 'stale'];
const ADMIN: readonly CommandFlag[] = ['admin', ...QUIET];

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  since: string,
  summary: string,
  handler: Handler,
  more: Partial<CommandSpec> = {},
): CommandSpec {
  return {
    name,
    arity,
    flags,
    group: 'connection',
    categories: ['connection'],
    since,
    summary,
    complexity: 'O(1)',
    handler,
    ...more,
  };
}

export const clientCommand: CommandSpec = {
  name: 'client',
  arity: -2,
  flags: [],
  group: 'connection',
  since: '2.4.0',
  summary: 'A container for client connection commands',
  complexity: 'Depends on subcommand.',
  subcommands: [
    row('getname', 2, QUIET, '2.6.9', 'Get the current connection name', getName),
    row('id', 2, QUIET, '5.0.0', 'Get the client ID of the current connection', id),
    row('info', 2, QUIET, '6.2.0', 'Get information about the current connection', info, {
      tips: ['nondeterministic_output'],
    }),
    row('list', -2, ADMIN, '2.4.0', 'Get the list of client connections', list, {
      complexity: 'O(N) where N is the number of client connections',
      syntax:
        '[TYPE/normal_master_replica_pubsub(NORMAL/ | MASTER/ | REPLICA/ | PUBSUB/)] [ID/id{client-id:i...}]',
      tips: ['nondeterministic_output'],
    }),
    row('no-evict', 3, ADMIN, '7.0.0', 'Set client eviction mode for the connection', noEvict, {
      syntax: 'enabled(ON/ | OFF/)',
    }),
    row('no-touch', 3, QUIET, '7.2.0', 'Set whether reads count as uses of a key', noTouch, {
      syntax: 'enabled(ON/ | OFF/)',
    }),
    row('setinfo', 4, QUIET, '7.2.0', 'Say which library the client uses', setInfo, {
      syntax: 'attr(LIB-NAME/libname | LIB-VER/libver)',
    }),
    row('setname', 3, QUIET, '2.6.9', 'Set the current connection name', setName, {
      syntax: 'connection-name',
    }),
    row('help', 2, ['loading', 'stale'], '5.0.0', 'Show help about the subcommands', (call) =>
      replyHelp(call, 'CLIENT', HELP),
    ),
  ],
};
