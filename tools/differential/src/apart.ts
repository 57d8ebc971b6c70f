/**
 * Commands that are not tried at random, each with the reason. They have tests of their own; what
 * redis-server lacks besides (it is asked) has golden transcripts.
 */
const OWN_BUSINESS = 'its reply tells of the server itself';
const TABLE = 'the table is compared row by row in packages/commands';
const WHOLE_SERVER = 'it changes the server for all connections, or ends it';
const CONNECTION = 'it ends or silences the connection';

const APART: Readonly<Record<string, string>> = {
  quit: CONNECTION,
  'client|reply': CONNECTION,
  'client|kill': CONNECTION,
  'client|pause': WHOLE_SERVER,
  'client|unpause': WHOLE_SERVER,
  'client|list': OWN_BUSINESS,
  'client|info': OWN_BUSINESS,
  'client|id': OWN_BUSINESS,
  'client|help': OWN_BUSINESS,
  'client|tracking': 'refused here',
  'client|caching': 'refused here',
  'client|unblock': 'nothing blocks',
  readonly: 'refused on both sides',
  readwrite: 'refused on both sides',
  command: TABLE,
  'command|count': TABLE,
  'command|info': TABLE,
  'command|docs': TABLE,
  'command|list': TABLE,
  'command|help': TABLE,
  'command|getkeys': TABLE,
  'command|getkeysandflags': TABLE,
  'config|get': OWN_BUSINESS,
  'config|set': WHOLE_SERVER,
  'config|resetstat': WHOLE_SERVER,
  'config|rewrite': WHOLE_SERVER,
  'config|help': OWN_BUSINESS,
  info: OWN_BUSINESS,
  time: OWN_BUSINESS,
  lastsave: OWN_BUSINESS,
  role: OWN_BUSINESS,
  lolwut: 'art',
  save: WHOLE_SERVER,
  bgsave: WHOLE_SERVER,
  bgrewriteaof: WHOLE_SERVER,
  shutdown: WHOLE_SERVER,
  monitor: CONNECTION,
  debug: 'off by default here',
};

/** Whole families, by the name of their container. */
const CONTAINERS_APART: Readonly<Record<string, string>> = {
  memory: OWN_BUSINESS,
  latency: OWN_BUSINESS,
  slowlog: OWN_BUSINESS,
  acl: WHOLE_SERVER,
};

export function isApart(fullName: string): boolean {
  return reasonApart(fullName) !== undefined;
}

/** Why a command is not tried; `undefined` where it is. */
export function reasonApart(fullName: string): string | undefined {
  return APART[fullName] ?? CONTAINERS_APART[fullName.split('|')[0]];
}
