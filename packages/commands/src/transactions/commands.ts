/** Transactions: MULTI queues, EXEC runs what is queued as one commit, DISCARD forgets it. */
import type { Call } from '../dispatch/call.js';
import { TransactionQueue } from '../dispatch/queue.js';
import { EXEC_ABORTED } from '../errors.js';
import type { CommandSpec } from '../table/row.js';

function multi(call: Call) {
  if (call.session.queue !== undefined) return call.fail('ERR MULTI calls can not be nested');
  call.session.queue = new TransactionQueue();
  call.ok();
}

function exec(call: Call): void | Promise<void> {
  const { session, reply, environment } = call;
  if (session.queue === undefined) return call.fail('ERR EXEC without MULTI');
  if (session.queue.failed) {
    session.queue = undefined;
    return call.fail(EXEC_ABORTED);
  }
  const done = environment.execute(session, reply);
  return done === true ? undefined : done;
}

function discard(call: Call) {
  if (call.session.queue === undefined) return call.fail('ERR DISCARD without MULTI');
  call.session.queue = undefined;
  call.ok();
}

export const transactionCommands: readonly CommandSpec[] = [
  {
    name: 'multi',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    group: 'transactions',
    categories: ['transaction'],
    since: '1.2.0',
    summary: 'Mark the start of a transaction block',
    complexity: 'O(1)',
    unqueued: true,
    handler: multi,
  },
  {
    name: 'exec',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    group: 'transactions',
    categories: ['transaction'],
    since: '1.2.0',
    summary: 'Execute all commands issued after MULTI',
    complexity: 'Depends on commands in the transaction',
    unqueued: true,
    handler: exec,
  },
  {
    name: 'discard',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    group: 'transactions',
    categories: ['transaction'],
    since: '2.0.0',
    summary: 'Discard all commands issued after MULTI',
    complexity: 'O(N), when N is the number of queued commands',
    unqueued: true,
    handler: discard,
  },
];
