/**
 * Configuration: one schema makes the defaults, the help and the validation.
 *
 *     --flag value  >  NENDB_FLAG=value  >  default
 *
 * Every option is a flag in kebab case and a variable in upper snake case of the same name.
 * `NENDB_SYNC_EVERY=N` is another way to write `NENDB_SYNC=every:N`.
 *
 * A bad value is a `ConfigError`: what was expected, what came, what to do. Nothing is read but
 * the arguments and the environment given; files are opened by whoever starts the server.
 */
import * as z from 'zod/mini';
import * as limits from './limits.js';
import { LOG_LEVELS } from './log.js';
import { bytes, integer, milliseconds, nonEmpty, oneOf, syncPolicy } from './options.js';

const GiB = 1024 ** 3;

interface OptionDoc {
  /** How the value is called in the help. */
  value: string;
  help: string;
}

const docs = z.registry<OptionDoc>();

/** In the order of the help. */
export const configSchema = z.object({
  port: z._default(integer(0, 65_535, 'a TCP port'), 6379).register(docs, {
    value: 'PORT',
    help: 'port to listen on; 0 picks a free one',
  }),
  bind: z._default(nonEmpty('an address or host name'), '127.0.0.1').register(docs, {
    value: 'ADDRESS',
    help: 'address to listen on',
  }),
  dir: z._default(nonEmpty('a directory'), './data').register(docs, {
    value: 'DIR',
    help: 'data directory; made if missing',
  }),
  sync: z._default(syncPolicy(), 'always' as const).register(docs, {
    value: 'POLICY',
    help: 'when writes reach the disk: always|<ms>ms|every:<N>|os',
  }),
  store: z.optional(oneOf(['dash', 'lsm', 'map'])).register(docs, {
    value: 'STORE',
    help: 'where keys live: dash|lsm|map; a directory keeps its own (dash for a new one)',
  }),
  regionBytes: z.optional(bytes(1024 ** 2, 32 * GiB)).register(docs, {
    value: 'BYTES',
    help: 'the most that the dash store holds; memory is taken as it is used (8gb)',
  }),
  pmemPath: z.optional(nonEmpty('a file')).register(docs, {
    value: 'FILE',
    help: 'map the dash store to this file, best on tmpfs: a restart after kill -9 is at once',
  }),
  lsmMemoryBytes: z.optional(bytes(128 * 1024, 1024 * GiB)).register(docs, {
    value: 'BYTES',
    help: 'memory of the lsm store, which keeps its keys on disk (128mb)',
  }),
  requirepassFile: z.optional(nonEmpty('a file that holds the password')).register(docs, {
    value: 'FILE',
    help: 'file whose first line is the password clients must give',
  }),
  protectedMode: z._default(oneOf(['yes', 'no']), 'yes' as const).register(docs, {
    value: 'yes|no',
    help: 'without a password, refuse clients from other machines',
  }),
  clientsMax: z
    ._default(integer(1, 1_000_000, 'a number of clients'), limits.CLIENTS_MAX)
    .register(docs, { value: 'N', help: 'connections at once' }),
  idleTimeoutMs: z._default(milliseconds(0), 0).register(docs, {
    value: 'MS',
    help: 'close a client that is idle for so long; 0 never',
  }),
  requestTimeoutMs: z._default(milliseconds(1), limits.REQUEST_TIMEOUT_MS).register(docs, {
    value: 'MS',
    help: 'close a client whose half-sent request stands still',
  }),
  authTimeoutMs: z._default(milliseconds(1), limits.AUTH_TIMEOUT_MS).register(docs, {
    value: 'MS',
    help: 'close a client that has not given the password',
  }),
  drainTimeoutMs: z._default(milliseconds(1), limits.DRAIN_TIMEOUT_MS).register(docs, {
    value: 'MS',
    help: 'how long a stop waits for replies to be read',
  }),
  valueBytesMax: z
    ._default(bytes(1024, limits.VALUE_BYTES_MAX), limits.VALUE_BYTES_MAX)
    .register(docs, { value: 'BYTES', help: 'the longest string' }),
  queryBufferBytesMax: z
    ._default(bytes(64 * 1024, 64 * GiB), limits.QUERY_BUFFER_BYTES_MAX)
    .register(docs, { value: 'BYTES', help: 'half-sent requests of all clients together' }),
  outputBufferBytesMax: z
    ._default(bytes(64 * 1024, 64 * GiB), limits.OUTPUT_BUFFER_BYTES_MAX)
    .register(docs, { value: 'BYTES', help: 'unread replies of one client; more closes it' }),
  outputPauseBytes: z
    ._default(bytes(limits.OUTPUT_PAUSE_BYTES_MIN, GiB), limits.OUTPUT_PAUSE_BYTES)
    .register(docs, { value: 'BYTES', help: 'unread replies above which a client must wait' }),
  segmentBytes: z.optional(bytes(4096, 4 * GiB)).register(docs, {
    value: 'BYTES',
    help: 'the log starts a new segment at this size (128mb)',
  }),
  snapshotLogBytes: z.optional(bytes(4096, 1024 * GiB)).register(docs, {
    value: 'BYTES',
    help: 'take a snapshot after so much log (64mb)',
  }),
  logLevel: z._default(oneOf(LOG_LEVELS), 'info' as const).register(docs, {
    value: 'LEVEL',
    help: LOG_LEVELS.join('|'),
  }),
});

/** What a server is started with; sizes in bytes and times in ms, as the names say. */
export type ServerConfig = z.infer<typeof configSchema>;

type OptionName = keyof ServerConfig;
type Origin = 'flag' | 'environment' | 'default';

/** A mistake in flags or environment. The process ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: 'CONFIG_BAD_VALUE' | 'CONFIG_UNKNOWN_FLAG';

  constructor(code: ConfigError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export type ParsedConfig =
  | { action: 'run'; config: ServerConfig; origins: Record<OptionName, Origin> }
  | { action: 'help' }
  | { action: 'version' };

const names = Object.keys(configSchema.shape) as OptionName[];

/**
 * Reads arguments (without node and script) and environment.
 *
 * @throws ConfigError
 */
export function parseConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedConfig {
  const flags = new Map<OptionName, string>();
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--help' || argv[i] === '-h') return { action: 'help' };
    if (argv[i] === '--version' || argv[i] === '-v') return { action: 'version' };
    const [, flag, , inline] = /^--([a-z-]+)(=(.*))?$/s.exec(argv[i]) ?? [];
    const name = names.find((each) => flagName(each) === flag);
    if (!name) throw unknownFlag(argv[i]);
    const text = inline ?? argv[++i];
    if (text === undefined) {
      throw new ConfigError(
        'CONFIG_BAD_VALUE',
        `--${flag}: expected a value (${docs.get(configSchema.shape[name])?.value}), came nothing; write --${flag} VALUE`,
      );
    }
    flags.set(name, text);
  }

  const texts: Partial<Record<OptionName, string>> = {};
  const sources = {} as Record<OptionName, string>;
  const origins = {} as Record<OptionName, Origin>;
  for (const name of names) {
    const flag = flags.get(name);
    const [variable, value] = fromEnvironment(name, env);
    texts[name] = flag ?? value;
    origins[name] = flag !== undefined ? 'flag' : value !== undefined ? 'environment' : 'default';
    sources[name] = flag !== undefined ? `--${flagName(name)}` : variable;
  }
  return { action: 'run', config: validate(texts, sources), origins };
}

/** The defaults, with some values of one's own: for programs that start a server themselves. */
export function serverConfig(overrides: Partial<ServerConfig> = {}): ServerConfig {
  return { ...configSchema.parse({}), ...overrides };
}

/** The text of `--help`. */
export function configHelp(): string {
  const defaults: Record<string, unknown> = configSchema.parse({});
  const rows = names.map((name) => {
    const { value, help } = docs.get(configSchema.shape[name]) as OptionDoc;
    const set = defaults[name];
    return [`--${flagName(name)} ${value}`, set === undefined ? help : `${help} [${set}]`];
  });
  rows.push(['--help', 'this text'], ['--version', 'the version']);
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = ' '.repeat(width + 4);
  return [
    'Usage: nendb-server [options]',
    '',
    'A Redis-compatible server whose acknowledged writes are on disk.',
    '',
    ...rows.map(
      ([left, right]) =>
        `  ${left.padEnd(width)}  ${wrap(right, limits.HELP_COLUMNS - indent.length).join(`\n${indent}`)}`,
    ),
    '',
    'Each option is also an environment variable: --requirepass-file is',
    'NENDB_REQUIREPASS_FILE. A flag wins over the environment.',
    'NENDB_SYNC_EVERY=N means --sync every:N.',
    '',
  ].join('\n');
}

/** `text` in lines of at most `columns`, cut at spaces. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function validate(
  texts: Partial<Record<OptionName, string>>,
  sources: Record<OptionName, string>,
): ServerConfig {
  const result = configSchema.safeParse(texts);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const name = issue.path[0] as OptionName;
  const came = texts[name] ?? '';
  const shown = `'${came.length > 80 ? `${came.slice(0, 80)}…` : came}'`;
  throw new ConfigError(
    'CONFIG_BAD_VALUE',
    `${sources[name]}: expected ${issue.message}, came ${shown}; correct it, or leave it out for the default (see --help)`,
  );
}

/** The variable that sets an option, and its value; an empty variable counts as absent. */
function fromEnvironment(
  name: OptionName,
  env: Readonly<Record<string, string | undefined>>,
): [variable: string, value: string | undefined] {
  const variable = `NENDB_${flagName(name).replaceAll('-', '_').toUpperCase()}`;
  const value = env[variable] || undefined;
  const every = env.NENDB_SYNC_EVERY;
  if (name !== 'sync' || !every) return [variable, value];
  if (value !== undefined && value !== `every:${every}`) {
    throw new ConfigError(
      'CONFIG_BAD_VALUE',
      `NENDB_SYNC and NENDB_SYNC_EVERY: expected one of them, came both ('${value}' and '${every}'); unset one`,
    );
  }
  return ['NENDB_SYNC_EVERY', `every:${every}`];
}

function flagName(name: OptionName): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function unknownFlag(came: string): ConfigError {
  // What follows the '=' may be a secret given to the wrong flag.
  const wanted = came.replace(/=.*/s, '').toLowerCase();
  const near = names
    .map((name) => `--${flagName(name)}`)
    .find(
      (flag) => flag.startsWith(wanted) || flag.replaceAll('-', '') === wanted.replaceAll('-', ''),
    );
  const hint = near && wanted.length > 2 ? `did you mean ${near}?` : 'see --help for all of them';
  return new ConfigError(
    'CONFIG_UNKNOWN_FLAG',
    `expected a flag of this server, came '${wanted.slice(0, 80)}'; ${hint}`,
  );
}
