/**
 * Every command of `nen`: its row here, its handler in a module of its own that is imported when it
 * runs. This file stays free of heavy imports: `nen version` loads it.
 */
import type { CommandSpec, OptionSpec } from '../command.js';

/** Flags that every command takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', summary: 'print one JSON document; errors as JSON on stderr' },
  { name: 'help', short: 'h', summary: 'show help' },
];

/** Flags that stand where a command would. */
export const VERSION_OPTION: OptionSpec = {
  name: 'version',
  short: 'V',
  summary: 'show versions, as nen version does',
};

const DIR: OptionSpec = {
  name: 'dir',
  value: 'DIR',
  env: 'NENDB_DIR',
  summary: 'data directory (default ./data)',
};

/** Flags that say which database is meant; `target.ts` reads them. */
const TARGET_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'url',
    value: 'URL',
    summary: 'server, redis://[user@]host:port[/database]',
  },
  DIR,
  {
    name: 'password-file',
    aliases: ['requirepass-file'],
    value: 'FILE',
    env: 'NENDB_REQUIREPASS_FILE',
    summary: 'first line is the password',
  },
];

const WHERE = [
  'Without --url the server is found by LOCK in --dir; a directory that nobody',
  'holds is used itself; where there is none, redis://127.0.0.1:6379 is asked.',
  'A password may also stand in NENDB_PASSWORD.',
];

const LOOKING = [
  'Reads files only; works beside a running server.',
  'Both ends of an image are checked; nen snapshot verify checks all of it.',
];

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'serve',
    usage: '[flags of the server]',
    summary: 'run the server (nen serve --help lists its flags)',
    options: [],
    examples: ['nen serve --port 6379 --dir ./data --sync always'],
    load: () => import('./serve.js'),
  },
  {
    name: 'status',
    usage: '',
    summary: 'show the state of a server or of a data directory',
    options: [
      ...TARGET_OPTIONS,
      { name: 'fail-on-unhealthy', summary: 'exit with 3 if the database is not healthy' },
    ],
    notes: [...WHERE, 'A directory is only read: nothing in it changes.'],
    examples: ['nen status', 'nen status --dir /var/lib/nendb --json --fail-on-unhealthy'],
    load: () => import('./status.js'),
  },
  {
    name: 'exec',
    usage: '<command> [argument…]',
    summary: 'run one Redis command and print the reply',
    options: [
      ...TARGET_OPTIONS,
      { name: 'db', short: 'n', value: 'N', summary: 'database number, 0 to 15 (default 0)' },
    ],
    notes: [
      ...WHERE,
      'Behind the command only the long flags of nen are flags; behind -- nothing is.',
      'On a terminal replies show their types; in a pipe they are raw.',
    ],
    examples: ['nen exec SET greeting hello', 'nen exec --json HGETALL user:1'],
    verbatimArgs: true,
    argsMin: 1,
    argsMax: Number.POSITIVE_INFINITY,
    load: () => import('./exec.js'),
  },
  {
    name: 'snapshot create',
    usage: '',
    summary: 'write a snapshot now and wait until it is on disk',
    options: TARGET_OPTIONS,
    notes: WHERE,
    examples: ['nen snapshot create --dir ./data'],
    load: () => import('./snapshot/create.js'),
  },
  {
    name: 'snapshot list',
    usage: '',
    summary: 'list the snapshots in a data directory',
    options: [DIR],
    notes: LOOKING,
    examples: ['nen snapshot list --dir ./data --json'],
    load: () => import('./snapshot/list.js'),
  },
  {
    name: 'snapshot inspect',
    usage: '[newest|bak]',
    summary: 'show the header of a snapshot',
    options: [DIR],
    notes: LOOKING,
    examples: ['nen snapshot inspect bak'],
    argsMax: 1,
    load: () => import('./snapshot/inspect.js'),
  },
  {
    name: 'snapshot verify',
    usage: '',
    summary: 'check every byte of the snapshots; exit 6 if one is damaged',
    options: [DIR],
    notes: ['Reads files only; works beside a running server.'],
    examples: ['nen snapshot verify --dir ./data'],
    load: () => import('./snapshot/verify.js'),
  },
  {
    name: 'version',
    usage: '',
    summary: 'show versions',
    options: [],
    examples: ['nen version --json'],
    load: () => import('./version.js'),
  },
];
