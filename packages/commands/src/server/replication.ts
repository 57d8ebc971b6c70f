/**
 * ROLE, WAIT, WAITAOF of a server that has no replicas. Source: Redis 7.4, `replication.c`.
 *
 * Nothing waits for replicas that cannot come: the number there is, 0, is answered at once.
 */
import { parseInt64, parseSafeInteger } from '../bytes/integers.js';
import type { Call } from '../dispatch/call.js';
import { NOT_AN_INTEGER, OUT_OF_RANGE } from '../errors.js';

export function role(call: Call) {
  call.reply.array(3);
  call.reply.text('master');
  call.reply.integer(call.environment.engine.appliedLsn);
  call.reply.array(0);
}

/** WAIT numreplicas timeout */
export function wait(call: Call) {
  if (!isInteger(call, 1) || !isTimeout(call, 2)) return;
  call.reply.integer(0);
}

/**
 * WAITAOF numlocal numreplicas timeout: whether the log is synced up to what the connection has seen.
 * Under `always` it is when the reply leaves; under weaker policies the answer is what holds now.
 */
export function waitAof(call: Call): void | Promise<void> {
  const local = parseSafeInteger(call.bytes, call.starts[1], call.ends[1]);
  if (Number.isNaN(local)) return call.fail(NOT_AN_INTEGER);
  if (local < 0 || local > 1) return call.fail(OUT_OF_RANGE);
  if (!isInteger(call, 2) || !isTimeout(call, 3)) return;
  const { engine } = call.environment;
  const { reply } = call;
  const lsn = engine.appliedLsn;
  const answer = () => {
    reply.array(2);
    reply.integer(engine.syncedLsn >= lsn ? 1 : 0);
    reply.integer(0);
  };
  if (call.queued) return answer();
  return engine.barrier().then(answer);
}

function isInteger(call: Call, index: number): boolean {
  if (parseInt64(call.bytes, call.starts[index], call.ends[index]) !== undefined) return true;
  call.fail(NOT_AN_INTEGER);
  return false;
}

function isTimeout(call: Call, index: number): boolean {
  const value = parseInt64(call.bytes, call.starts[index], call.ends[index]);
  if (value === undefined) call.fail('ERR timeout is not an integer or out of range');
  else if (value < 0n) call.fail('ERR timeout is negative');
  return value !== undefined && value >= 0n;
}
