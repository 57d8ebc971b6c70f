/** MEMORY. Source: Redis 7.0, `memoryCommand`; the sizes are this store's, about. */
import { type RecordView, ValueType } from '@nendb/engine';
import { parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { NOT_AN_INTEGER, SYNTAX } from '../errors.js';
import { SCAN_STEP } from '../limits.js';
import type { CommandSpec } from '../table/row.js';
import { replyHelp } from './help.js';

const HELP = [
  'DOCTOR',
  '    Return memory problems reports.',
  'MALLOC-STATS',
  '    Return internal statistics report from the memory allocator.',
  'PURGE',
  '    Attempt to purge dirty pages for reclamation by the allocator.',
  'STATS',
  '    Return information about the memory usage of the server.',
  'USAGE <key> [SAMPLES <count>]',
  '    Return memory in bytes used by <key> and its value. Nested values are',
  '    sampled up to <count> times (default: 5, 0 means sample all).',
];

const SAMPLES = word('samples');
const KEY = 2;
const SAMPLES_DEFAULT = 5;

/** What a key, and a field, take beside their bytes. */
const OVERHEAD_BYTES = 64;

/** MEMORY USAGE key [SAMPLES count] */
function usage(call: Call) {
  let samples = SAMPLES_DEFAULT;
  for (let i = KEY + 1; i < call.argc; i += 2) {
    if (!call.is(i, SAMPLES) || i + 1 === call.argc) return call.fail(SYNTAX);
    samples = parseSafeInteger(call.bytes, call.starts[i + 1], call.ends[i + 1]);
    if (Number.isNaN(samples)) return call.fail(NOT_AN_INTEGER);
    if (samples < 0) return call.fail(SYNTAX);
  }
  const view = call.peek(KEY);
  if (view === undefined) return call.reply.null();
  const { type, length } = view;
  const ownBytes = call.ends[KEY] - call.starts[KEY] + OVERHEAD_BYTES;
  if (type === ValueType.string) return call.reply.integer(ownBytes + length);
  const wanted = samples === 0 ? length : Math.min(samples, length);
  call.reply.integer(ownBytes + Math.round((fieldBytes(call, wanted) / wanted) * length));
}

/** What the first `wanted` fields take together. */
function fieldBytes(call: Call, wanted: number): number {
  let bytes = 0;
  let seen = 0;
  let cursor = 0;
  const measure = (field: Uint8Array, value: RecordView) => {
    if (seen === wanted) return;
    seen++;
    bytes += field.length + value.length + OVERHEAD_BYTES;
  };
  do {
    cursor = call.transaction.scanFields(
      call.session.database,
      call.bytes,
      call.starts[KEY],
      call.ends[KEY],
      cursor,
      Math.min(SCAN_STEP, wanted),
      measure,
    );
  } while (cursor !== 0 && seen < wanted);
  return bytes;
}

function statistics(call: Call) {
  const { store, databases } = call.environment.engine.stats();
  const keys = databases.reduce((sum, database) => sum + database.keys, 0);
  const fields = {
    'total.allocated': store.bytes + store.imageBytes,
    'replication.backlog': 0,
    'clients.normal': clientBytes(call),
    'keys.count': keys,
    'keys.bytes-per-key': keys === 0 ? 0 : Math.round(store.bytes / keys),
    'dataset.bytes': store.bytes,
    'nendb.image.bytes': store.imageBytes,
  };
  call.reply.map(Object.keys(fields).length);
  for (const [name, value] of Object.entries(fields)) {
    call.reply.text(name);
    call.reply.integer(value);
  }
}

function clientBytes({ environment: { host } }: Call): number {
  let bytes = 0;
  for (const session of host.sessions()) {
    const { queryBytes, outputBytes } = host.buffersOf(session);
    bytes += queryBytes + outputBytes + (session.queue?.allocatedBytes ?? 0);
  }
  return bytes;
}

function doctor(call: Call) {
  const { store } = call.environment.engine.stats();
  const text =
    store.imageBytes > store.bytes / 2
      ? `A snapshot that is being written retains ${store.imageBytes} bytes: writes replace much of the data meanwhile.`
      : 'No memory problem was found.';
  call.reply.verbatim('txt', text);
}

const NO_ALLOCATOR =
  'Memory is allocated by the runtime, which has no report of its own: see INFO memory.';

export const memoryCommand: CommandSpec = {
  name: 'memory',
  arity: -2,
  flags: [],
  group: 'server',
  since: '4.0.0',
  summary: 'A container for memory diagnostics commands',
  complexity: 'Depends on subcommand.',
  subcommands: [
    {
      name: 'usage',
      arity: -3,
      flags: ['readonly'],
      keys: { first: KEY, last: KEY, step: 1, access: 'RO' },
      group: 'server',
      since: '4.0.0',
      summary: 'Estimate the memory usage of a key',
      complexity: 'O(N) where N is the number of samples.',
      syntax: 'key [SAMPLES/count:i]',
      handler: usage,
    },
    ...(
      [
        ['stats', 'Show memory usage details', statistics],
        ['doctor', 'Outputs memory problems report', doctor],
        [
          'malloc-stats',
          'Show allocator internal stats',
          (call) => call.reply.verbatim('txt', NO_ALLOCATOR),
        ],
      ] satisfies [string, string, CommandSpec['handler']][]
    ).map(
      ([name, summary, handler]): CommandSpec => ({
        name,
        arity: 2,
        flags: [],
        group: 'server',
        since: '4.0.0',
        summary,
        complexity: 'O(1)',
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler,
      }),
    ),
    {
      name: 'purge',
      arity: 2,
      flags: [],
      group: 'server',
      since: '4.0.0',
      summary: 'Ask the allocator to release memory',
      complexity: 'O(1)',
      tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
      // The collector gives memory back by itself.
      handler: (call) => call.ok(),
    },
    {
      name: 'help',
      arity: 2,
      flags: ['loading', 'stale'],
      group: 'server',
      since: '4.0.0',
      summary: 'Show helpful text about the different subcommands',
      complexity: 'O(1)',
      handler: (call) => replyHelp(call, 'MEMORY', HELP),
    },
  ],
};
