/** CLIENT and its subcommands. */
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { BAD_CLIENT_NAME, SYNTAX } from '../errors.js';
import { replyHelp } from '../server/help.js';
import type { Session } from '../session.js';
import type { CommandFlag, CommandSpec, Handler } from '../table/row.js';
import {
  caching,
  getRedirection,
  kill,
  pause,
  reply,
  tracking,
  trackingInfo,
  unblock,
  unpause,
} from './client-control.js';
import { readClientType } from './client-filter.js';
import { clientLine } from './client-line.js';
import { isClientName } from './client-name.js';

const ON = word('on');
const OFF = word('off');
const TYPE = word('type');
const ID = word('id');
const LIB_NAME = word('lib-name');
const LIB_VER = word('lib-ver');

const HELP = [
  'CACHING (YES|NO)',
  '    Refused: there is no tracking.',
  'GETNAME',
  '    Return the name of the current connection.',
  'GETREDIR',
  '    Return -1: there is no tracking.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'KILL <ip:port>',
  '    Kill connection made from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Kill connections. Options are:',
  '    * ADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made from the specified address.',
  '    * LADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made to the specified local address.',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Kill connections by type.',
  '    * USER <username>',
  '      Kill connections authenticated by <username>.',
  '    * SKIPME (YES|NO)',
  '      Skip killing current connection (default: yes).',
  '    * ID <client-id>',
  '      Kill connections by client id.',
  '    * MAXAGE <maxage>',
  '      Kill connections older than the specified age, in seconds.',
  'LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> ...]]',
  '    Return information about client connections.',
  'NO-EVICT (ON|OFF)',
  '    Protect current client connection from eviction.',
  'NO-TOUCH (ON|OFF)',
  '    Do not count reads of this connection as uses of a key.',
  'PAUSE <timeout> [WRITE|ALL]',
  '    Suspend all, or just write, clients for <timeout> milliseconds.',
  'REPLY (ON|OFF|SKIP)',
  '    Control the replies sent to the current connection.',
  'SETINFO (LIB-NAME|LIB-VER) <value>',
  '    Say which library the client uses.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
  'TRACKING (ON|OFF)',
  '    Refused but for OFF.',
  'TRACKINGINFO',
  '    Report tracking status for the current connection.',
  'UNBLOCK <clientid> [TIMEOUT|ERROR]',
  '    Return 0: no command blocks.',
  'UNPAUSE',
  '    Stop the current client pause, resuming traffic.',
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

/** CLIENT LIST [TYPE type] [ID id [id ...]] */
function list(call: Call) {
  const { host } = call.environment;
  let meant: ((session: Session) => boolean) | undefined = () => true;
  if (call.argc === 4 && call.is(2, TYPE)) {
    meant = readClientType(call, 3);
  } else if (call.argc > 3 && call.is(2, ID)) {
    const ids = new Set<number>();
    for (let i = 3; i < call.argc; i++) {
      const number = parseSafeInteger(call.bytes, call.starts[i], call.ends[i]);
      if (!(number > 0)) return call.fail('ERR Invalid client ID');
      ids.add(number);
    }
    meant = ({ id: of }) => ids.has(of);
  } else if (call.argc !== 2) {
    return call.fail(SYNTAX);
  }
  if (meant === undefined) return;
  let lines = '';
  for (const session of host.sessions())
    if (meant(session)) lines += `${clientLine(session, host)}\n`;
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
    row('kill', -3, ADMIN, '2.4.0', 'Terminate open connections', kill, {
      complexity: 'O(N) where N is the number of client connections',
      syntax:
        'filter(ip:port | new-format([ID/client-id:i] | [TYPE/normal_master_slave_pubsub(NORMAL/ | MASTER/ | SLAVE/ | REPLICA/ | PUBSUB/)] | [USER/username] | [ADDR/ip:port] | [LADDR/ip:port] | [SKIPME/yes/no] | [MAXAGE/maxage:i])...)',
    }),
    row(
      'pause',
      -3,
      ADMIN,
      '2.9.50',
      'Stop processing commands from clients for some time',
      pause,
      {
        syntax: 'timeout:i [mode(WRITE/ | ALL/)]',
      },
    ),
    row('unpause', 2, ADMIN, '6.2.0', 'Resume processing of clients that were paused', unpause, {
      complexity: 'O(N) Where N is the number of paused clients',
    }),
    row('reply', 3, QUIET, '3.2.0', 'Instruct the server whether to reply to commands', reply, {
      syntax: 'on_off_skip(ON/ | OFF/ | SKIP/)',
    }),
    row('unblock', -3, ADMIN, '5.0.0', 'Unblock a client that waits in a command', unblock, {
      syntax: 'client-id:i [timeout_error(TIMEOUT/ | ERROR/)]',
    }),
    row(
      'tracking',
      -3,
      QUIET,
      '6.0.0',
      'Refused: there is no support for client side caching',
      tracking,
      {
        syntax:
          'status(ON/ | OFF/) [REDIRECT/client-id:i] [PREFIX/prefix...+] [BCAST/] [OPTIN/] [OPTOUT/] [NOLOOP/]',
      },
    ),
    row('trackinginfo', 2, QUIET, '6.2.0', 'Tell that there is no tracking', trackingInfo),
    row('getredir', 2, QUIET, '6.0.0', 'Tell that there is no tracking', getRedirection),
    row('caching', 3, QUIET, '6.0.0', 'Refused: there is no tracking', caching, {
      syntax: 'mode(YES/ | NO/)',
    }),
    row('help', 2, ['loading', 'stale'], '5.0.0', 'Show help about the subcommands', (call) =>
      replyHelp(call, 'CLIENT', HELP),
    ),
  ],
};
