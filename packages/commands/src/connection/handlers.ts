/** PING, ECHO, SELECT, QUIT, RESET. */
import type { Call } from '../dispatch/call.js';
import { readInt32 } from '../dispatch/numbers.js';
import { DATABASE_OUT_OF_RANGE, wrongArity } from '../errors.js';
import { DATABASES } from '../limits.js';

export function ping(call: Call) {
  if (call.argc > 2) return call.fail(wrongArity('ping'));
  if (call.argc === 2) call.reply.bulk(call.bytes, call.starts[1], call.ends[1]);
  else call.reply.simple('PONG');
}

export function echo(call: Call) {
  call.reply.bulk(call.bytes, call.starts[1], call.ends[1]);
}

export function select(call: Call) {
  const database = readInt32(call, 1);
  if (Number.isNaN(database)) return;
  if (database < 0 || database >= DATABASES) return call.fail(DATABASE_OUT_OF_RANGE);
  call.session.database = database;
  call.ok();
}

export function quit(call: Call) {
  call.session.closing = true;
  call.ok();
}

export function reset(call: Call) {
  call.session.reset(!call.environment.host.passwordRequired);
  call.reply.protocol = call.session.protocol;
  call.reply.simple('RESET');
}
