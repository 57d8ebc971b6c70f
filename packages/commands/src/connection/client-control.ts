/**
 * CLIENT KILL, PAUSE, UNPAUSE, REPLY, UNBLOCK, and the TRACKING family, which is refused.
 * Source: Redis 7.4, `networking.c`.
 */
import { parseInt64, parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { SYNTAX } from '../errors.js';
import { readKillFilters } from './client-filter.js';

const ALL = word('all');
const WRITE = word('write');
const ON = word('on');
const OFF = word('off');
const SKIP = word('skip');
const TIMEOUT = word('timeout');
const ERROR = word('error');

/** CLIENT KILL address, or CLIENT KILL filter value [filter value ...] */
export function kill(call: Call) {
  const byAddress = call.argc === 3;
  const address = call.text(2);
  const meant = byAddress
    ? ({ address: of }: { address: string }) => of === address
    : readKillFilters(call, 2);
  if (meant === undefined) return;
  let killed = 0;
  for (const session of [...call.environment.host.sessions()].filter(meant)) {
    // One's own connection ends when the reply has left.
    if (session === call.session) session.closing = true;
    else session.kill();
    killed++;
  }
  if (!byAddress) call.reply.integer(killed);
  else if (killed === 0) call.fail('ERR No such client');
  else call.ok();
}

/** CLIENT PAUSE milliseconds [ALL | WRITE] */
export function pause(call: Call) {
  const forMs = parseInt64(call.bytes, call.starts[2], call.ends[2]);
  let kind: 'writes' | 'all' = 'all';
  if (call.argc > 3) {
    if (call.is(3, WRITE)) kind = 'writes';
    else if (!call.is(3, ALL)) return call.fail('ERR CLIENT PAUSE mode must be WRITE or ALL');
  }
  if (call.argc > 4) return call.fail(SYNTAX);
  if (forMs === undefined) return call.fail('ERR timeout is not an integer or out of range');
  if (forMs < 0n) return call.fail('ERR timeout is negative');
  call.environment.pauses.begin(kind, Math.min(Number(forMs), PAUSE_MS_MAX));
  call.ok();
}

/** What a timer can wait for, in ms: 24 days. */
const PAUSE_MS_MAX = 2 ** 31 - 1;

export function unpause(call: Call) {
  call.environment.pauses.end();
  call.ok();
}

/** CLIENT REPLY ON | OFF | SKIP: the dispatcher takes back what is not to be said. */
export function reply(call: Call) {
  const { session } = call;
  if (call.is(2, ON)) {
    session.replies = 'on';
    call.ok();
  } else if (call.is(2, OFF)) {
    session.replies = 'off';
    if (call.queued) call.ok();
  } else if (call.is(2, SKIP)) {
    if (session.replies !== 'off') session.replies = 'skip';
    if (call.queued) call.ok();
  } else {
    call.fail(SYNTAX);
  }
}

/** CLIENT UNBLOCK id [TIMEOUT | ERROR]: no command blocks. */
export function unblock(call: Call) {
  if (call.argc === 4 && !call.is(3, TIMEOUT) && !call.is(3, ERROR)) {
    return call.fail('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  if (call.argc > 4) return call.fail(SYNTAX);
  const id = parseSafeInteger(call.bytes, call.starts[2], call.ends[2]);
  if (Number.isNaN(id)) return call.fail('ERR value is not an integer or out of range');
  call.reply.integer(0);
}

/** CLIENT TRACKING OFF is what holds anyway. */
export function tracking(call: Call) {
  if (call.is(2, OFF)) return call.ok();
  if (!call.is(2, ON)) return call.fail(SYNTAX);
  call.fail(
    'ERR CLIENT TRACKING is not supported: do not cache on the client side, or bound what you cache in time',
  );
}

export function trackingInfo(call: Call) {
  const { reply: out } = call;
  out.map(3);
  out.text('flags');
  out.set(1);
  out.text('off');
  out.text('redirect');
  out.integer(-1);
  out.text('prefixes');
  out.array(0);
}

/** -1: no tracking. */
export function getRedirection(call: Call) {
  call.reply.integer(-1);
}

export function caching(call: Call) {
  call.fail(
    'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
  );
}
