/** LATENCY. Source: Redis 7.0, `latency.c`. */
import type { Call } from '../dispatch/call.js';
import type { LatencyEvent } from '../observe/latency-monitor.js';
import type { Command, CommandFlag, CommandSpec, Handler } from '../table/row.js';
import { replyHelp } from './help.js';

const HELP = [
  'DOCTOR',
  '    Return a human readable latency analysis report.',
  'GRAPH <event>',
  '    Return an ASCII latency graph for the <event> class.',
  'HISTORY <event>',
  '    Return time-latency samples for the <event> class.',
  'LATEST',
  '    Return the latest latency samples for all events.',
  'RESET [<event> ...]',
  '    Reset latency data of one or more <event> classes.',
  '    (default: reset all data for all event classes)',
  'HISTOGRAM [COMMAND ...]',
  '    Return a cumulative distribution of commands latencies in histogram format.',
];

const EVENT = 2;
const LATEST_FIELDS = 4;

function eventNamed(call: Call): LatencyEvent | undefined {
  return call.environment.observations.latency.events.get(call.text(EVENT));
}

function latest(call: Call) {
  const { events } = call.environment.observations.latency;
  const { reply } = call;
  reply.array(events.size);
  for (const [name, { samples, mostMs }] of events) {
    const last = samples[samples.length - 1];
    reply.array(LATEST_FIELDS);
    reply.text(name);
    reply.integer(last.atSeconds);
    reply.integer(last.ms);
    reply.integer(mostMs);
  }
}

function history(call: Call) {
  const samples = eventNamed(call)?.samples ?? [];
  call.reply.array(samples.length);
  for (const { atSeconds, ms } of samples) {
    call.reply.array(2);
    call.reply.integer(atSeconds);
    call.reply.integer(ms);
  }
}

function reset(call: Call) {
  const names = Array.from({ length: call.argc - EVENT }, (_, i) => call.text(EVENT + i));
  call.reply.integer(call.environment.observations.latency.reset(names));
}

/** Rows of the graph, of which each shows a quarter of the highest sample. */
const ROWS = 4;

function graph(call: Call) {
  const event = eventNamed(call);
  if (event === undefined) {
    return call.fail(`ERR No samples available for event '${call.quote(EVENT)}'`);
  }
  const times = event.samples.map(({ ms }) => ms);
  const [low, high] = [Math.min(...times), Math.max(...times)];
  let text = `${call.text(EVENT)} - high ${high} ms, low ${low} ms (all time high ${event.mostMs} ms)\n`;
  text += `${'-'.repeat(80)}\n`;
  for (let row = ROWS; row > 0; row--) {
    text += `${times.map((ms) => (ms * ROWS > high * (row - 1) ? '#' : ' ')).join('')}\n`;
  }
  call.reply.verbatim('txt', text);
}

function doctor(call: Call) {
  const { latency, parameters } = call.environment.observations;
  let text = '';
  if (parameters.latencyMsMin === 0 && latency.events.size === 0) {
    text =
      'Latency monitoring is off: CONFIG SET latency-monitor-threshold <milliseconds> keeps what takes at least so long.\n';
  } else if (latency.events.size === 0) {
    text = `No event took ${parameters.latencyMsMin} ms or longer.\n`;
  }
  for (const [name, { samples, mostMs }] of latency.events) {
    const sum = samples.reduce((total, { ms }) => total + ms, 0);
    text += `${name}: ${samples.length} spikes, ${Math.round(sum / samples.length)} ms on average, ${mostMs} ms at worst. SLOWLOG GET names commands; a snapshot, a slow disk or one large command may be the cause.\n`;
  }
  call.reply.verbatim('txt', text);
}

/** By command that has run: calls, and how many took at most so many us, at powers of two. */
function histogram(call: Call) {
  const { table, observations, counters } = call.environment;
  const named =
    call.argc === EVENT
      ? table.byIndex
      : Array.from({ length: call.argc - EVENT }, (_, i) => table.byFullName(call.text(EVENT + i)));
  const used = named
    .flatMap((command) => (command === undefined ? [] : [command, ...command.subcommands]))
    .filter((command, i, all) => all.indexOf(command) === i && counters.calls[command.index] > 0);
  call.reply.map(used.length);
  for (const command of used) replyHistogram(call, command, observations.histogram(command));
}

function replyHistogram({ reply }: Call, command: Command, buckets: Uint32Array) {
  const calls = buckets.reduce((sum, count) => sum + count, 0);
  const steps: [us: number, count: number][] = [];
  let below = 0;
  for (const [i, count] of buckets.entries()) {
    below += count;
    if (count > 0) steps.push([2 ** (i + 1), below]);
  }
  reply.text(command.fullName);
  reply.map(2);
  reply.text('calls');
  reply.integer(calls);
  reply.text('histogram_usec');
  reply.map(steps.length);
  for (const [us, count] of steps) {
    reply.integer(us);
    reply.integer(count);
  }
}

const ADMIN: readonly CommandFlag[] = ['admin', 'noscript', 'loading', 'stale'];
const TIPS = ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'];

function row(
  name: string,
  arity: number,
  since: string,
  summary: string,
  handler: Handler,
  syntax = '',
  tips: readonly string[] = TIPS,
): CommandSpec {
  return {
    name,
    arity,
    flags: ADMIN,
    group: 'server',
    since,
    summary,
    complexity: 'O(1)',
    syntax,
    tips,
    handler,
  };
}

export const latencyCommand: CommandSpec = {
  name: 'latency',
  arity: -2,
  flags: [],
  group: 'server',
  since: '2.8.13',
  summary: 'A container for latency diagnostics commands',
  complexity: 'Depends on subcommand.',
  subcommands: [
    row('doctor', 2, '2.8.13', 'Return a human readable latency analysis report.', doctor),
    row('graph', 3, '2.8.13', 'Return a latency graph for the event.', graph, 'event'),
    row(
      'histogram',
      -2,
      '7.0.0',
      'Return how commands distribute over latencies.',
      histogram,
      '[command...]',
    ),
    row(
      'history',
      3,
      '2.8.13',
      'Return timestamp-latency samples for the event.',
      history,
      'event',
    ),
    row('latest', 2, '2.8.13', 'Return the latest latency samples for all events.', latest),
    row('reset', -2, '2.8.13', 'Reset latency data for one or more events.', reset, '[event...]', [
      'request_policy:all_nodes',
      'response_policy:all_succeeded',
    ]),
    {
      name: 'help',
      arity: 2,
      flags: ['loading', 'stale'],
      group: 'server',
      since: '2.8.13',
      summary: 'Show helpful text about the different subcommands.',
      complexity: 'O(1)',
      handler: (call) => replyHelp(call, 'LATENCY', HELP),
    },
  ],
};
