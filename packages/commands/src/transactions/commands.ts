/**
 * Transactions: MULTI queues, EXEC runs what is queued as one commit, DISCARD forgets it. WATCH makes
 * EXEC do nothing, and reply null, where a watched key has changed since: `EngineView.watch`.
 */
import type { Call } from '../dispatch/call.js';
import { TransactionQueue } from '../dispatch/queue.js';
import { EXEC_ABORTED } from '../errors.js';
import { allKeys, type CommandSpec } from '../table/row.js';

function multi(call: Call) {
  if (call.session.queue !== undefined) return call.fail('ERR MULTI calls can not be nested');
  call.session.queue = new TransactionQueue();
  call.ok();
}

function exec(call: Call): void | Promise<void> {
  const { session, reply, environment } = call;
  if (session.queue === undefined) return call.fail('ERR EXEC without MULTI');
  if (session.queue.failed) {
    session.discard();
    return call.fail(EXEC_ABORTED);
  }
  const done = environment.execute(session, reply);
  return done === true ? undefined : done;
}

function discard(call: Call) {
  if (call.session.queue === undefined) return call.fail('ERR DISCARD without MULTI');
  call.session.discard();
  call.ok();
}

function watch(call: Call) {
  const { session, environment } = call;
  if (session.queue !== undefined) return call.fail('ERR WATCH inside MULTI is not allowed');
  call.ok();
  if (session.ended) return;
  session.watch ??= environment.engine.watch();
  // Where EXEC will do nothing anyway there is no point in watching more.
  if (session.watch.changed()) return;
  for (let i = 1; i < call.argc; i++) {
    session.watch.add(session.database, call.bytes, call.starts[i], call.ends[i]);
  }
}

function unwatch(call: Call) {
  call.session.unwatch();
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
  {
    name: 'watch',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    group: 'transactions',
    categories: ['transaction'],
    keys: allKeys('RO'),
    since: '2.2.0',
    summary: 'Watch the given keys to determine execution of the MULTI/EXEC block',
    complexity: 'O(1) for every key.',
    syntax: 'key...',
    unqueued: true,
    handler: watch,
  },
  {
    name: 'unwatch',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    group: 'transactions',
    categories: ['transaction'],
    since: '2.2.0',
    summary: 'Forget about all watched keys',
    complexity: 'O(1)',
    handler: unwatch,
  },
];
