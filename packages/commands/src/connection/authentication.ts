/**
 * HELLO and AUTH. There is one user, `default`; an unknown user and a wrong password get the same
 * answer in the same time. Passwords are compared as bytes and never kept or shown.
 */
import { parseInt64 } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { BAD_CLIENT_NAME, SYNTAX, WRONG_PASSWORD } from '../errors.js';
import { REDIS_VERSION } from '../version.js';
import { isClientName } from './client-name.js';

const AUTH = word('auth');
const SETNAME = word('setname');

const NO_PASSWORD_SET =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';
const HELLO_NO_AUTH =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';

/** AUTH [username] password */
export function auth(call: Call) {
  if (call.argc > 3) return call.fail(SYNTAX);
  if (call.argc === 2 && !call.environment.host.passwordRequired) {
    return call.fail(NO_PASSWORD_SET);
  }
  if (authenticate(call, call.argc - 2, call.argc - 1)) call.ok();
  else call.fail(WRONG_PASSWORD);
}

/** HELLO [protover [AUTH username password] [SETNAME clientname]] */
export function hello(call: Call) {
  const { session, reply } = call;
  let protocol = session.protocol;
  if (call.argc > 1) {
    const version = parseInt64(call.bytes, call.starts[1], call.ends[1]);
    if (version === undefined) {
      return call.fail('ERR Protocol version is not an integer or out of range');
    }
    if (version !== 2n && version !== 3n) {
      return call.fail('NOPROTO unsupported protocol version');
    }
    protocol = version === 2n ? 2 : 3;
  }
  let nameAt = 0;
  let userAt = 0;
  for (let i = 2; i < call.argc; i++) {
    const more = call.argc - 1 - i;
    if (more >= 2 && call.is(i, AUTH)) {
      userAt = i + 1;
      i += 2;
    } else if (more >= 1 && call.is(i, SETNAME)) {
      nameAt = ++i;
      if (!isClientName(call, nameAt)) return call.fail(BAD_CLIENT_NAME);
    } else {
      return call.fail(`ERR Syntax error in HELLO option '${call.quote(i)}'`);
    }
  }
  if (userAt > 0 && !authenticate(call, userAt, userAt + 1)) return call.fail(WRONG_PASSWORD);
  if (!session.authenticated) return call.fail(HELLO_NO_AUTH);
  if (nameAt > 0) session.name = call.text(nameAt);
  session.protocol = protocol;
  reply.protocol = protocol;
  describe(call);
}

function describe(call: Call) {
  const { reply, session } = call;
  reply.map(7);
  reply.text('server');
  reply.text('redis');
  reply.text('version');
  reply.text(REDIS_VERSION);
  reply.text('proto');
  reply.integer(session.protocol);
  reply.text('id');
  reply.integer(session.id);
  reply.text('mode');
  reply.text('standalone');
  reply.text('role');
  reply.text('master');
  reply.text('modules');
  reply.array(0);
}

/**
 * Checks the arguments at `userAt` (0 is the command's name: no user given) and `passwordAt`. The
 * password is hashed and compared even for a user that does not exist.
 */
function authenticate(call: Call, userAt: number, passwordAt: number): boolean {
  const { host } = call.environment;
  const knownUser = userAt === 0 || call.text(userAt) === 'default';
  const rightPassword = host.checkPassword(call.slice(passwordAt)) || !host.passwordRequired;
  const { session } = call;
  if (!knownUser || !rightPassword) {
    session.authFailures++;
    return false;
  }
  session.authFailures = 0;
  session.authenticated = true;
  return true;
}
