/**
 * Words for arguments, by their name and type in the command's syntax. Most fit, so that commands do
 * something; some are at the edges of what fits, or beyond.
 *
 * Times are far from now on either side, and differ by more than the two servers' clocks do.
 */
import type { Argument, Command } from '@nendb/commands';
import { DUMPED } from './peer.js';
import type { Random } from './random.js';
import type { Word } from './request.js';

const STRINGS = ['s0', 's1', 's2', 's3', 's4'];
const NUMBERS = ['n0', 'n1', 'n2'];
const HASHES = ['h0', 'h1', 'h2', 'h3'];
const OTHERS = ['', '__proto__', 'none', 'constructor'];
const ALL = [...STRINGS, ...NUMBERS, ...HASHES, ...OTHERS];

/** Commands that want numbers in their keys. */
const COUNTERS = new Set(['incr', 'decr', 'incrby', 'decrby', 'incrbyfloat']);

const FIELDS = ['f', 'g', 'n', 'm', '', '__proto__', 'f2', 'f3', 'f4', 'f5'];

const TEXTS = [
  '',
  'v',
  'foobar',
  'x'.repeat(44),
  'x'.repeat(45),
  'y'.repeat(70),
  'abcabcabcabc',
  'line\r\nbreak',
  '\0zero\0',
];

const INTEGERS = [
  '0',
  '1',
  '-1',
  '7',
  '10',
  '-7',
  '100',
  '9007199254740991',
  '9007199254740993',
  '-9007199254740992',
  '9223372036854775807',
  '-9223372036854775808',
];

const FLOATS = ['0.1', '-2.5', '3e2', '10.50', '1e-7', '5.', '.5', '+4', '1e17', '0x10'];

/** What is no number, or none of 64 bits. */
const NO_INTEGERS = ['', 'x', '007', '1.5', ' 1', '9223372036854775808', '-0', '+1', '1 '];

const PATTERNS = ['*', 's*', '?0', '[hn]*', '[^s]*', 'h\\*', '', 'f*', '*[0-2]', 's[0-', '**'];

const bytes = (...values: number[]) => Uint8Array.from(values);
const BINARY = [bytes(0xff, 0xf0, 0x00), bytes(0x00), bytes(0xff, 0xff), bytes(0xe9, 0x0d, 0x0a)];

const SECONDS_MIN = 100;
const SECONDS_MAX = 1_000_000;

/** Picks the word of one argument. */
export function wordFor(random: Random, command: Command, argument: Argument): Word {
  if (argument.type === 'key') return keyFor(random, command);
  if (argument.type === 'double') return random.chance(0.7) ? random.pick(FLOATS) : integer(random);
  if (argument.name === 'value' && argument.type === 'integer') {
    return command.fullName === 'setbit' ? small(0, 1)(random) : integer(random);
  }
  const special = BY_NAME[argument.name];
  if (special !== undefined) return special(random);
  switch (argument.type) {
    case 'integer':
      return integer(random);
    case 'pattern':
      return random.pick(PATTERNS);
    case 'unix-time':
      return unixSeconds(random);
    default:
      return random.pick(TEXTS);
  }
}

function keyFor(random: Random, command: Command): Word {
  if (random.chance(0.04)) return random.pick(ALL);
  if (COUNTERS.has(command.fullName)) return random.pick(NUMBERS);
  const { group } = command.spec;
  if (group === 'hash') return random.pick(HASHES);
  if (group === 'bitmap') return random.pick(STRINGS);
  // Strings and numbers are made by the same commands; numbers stay numbers mostly.
  if (group === 'string') return random.pick(random.chance(0.8) ? STRINGS : NUMBERS);
  return random.pick(ALL);
}

function integer(random: Random): string {
  if (random.chance(0.5)) return String(random.integer(-20, 200));
  return random.chance(0.9) ? random.pick(INTEGERS) : random.pick(NO_INTEGERS);
}

/** Small ones fit nearly everywhere. */
function small(from: number, to: number) {
  return (random: Random): string => {
    if (random.chance(0.9)) return String(random.integer(from, to));
    return random.pick(random.chance(0.6) ? INTEGERS : NO_INTEGERS);
  };
}

function oneOf(words: readonly Word[], wrong: readonly Word[] = []) {
  return (random: Random): Word =>
    wrong.length > 0 && random.chance(0.07) ? random.pick(wrong) : random.pick(words);
}

function value(random: Random): Word {
  const kind = random.fraction();
  if (kind < 0.45) return random.pick(INTEGERS);
  if (kind < 0.55) return random.pick(FLOATS);
  if (kind < 0.9) return random.pick(TEXTS);
  return random.pick(BINARY);
}

function seconds(random: Random): string {
  if (random.chance(0.85)) return String(random.integer(SECONDS_MIN, SECONDS_MAX));
  return random.pick(['0', '-1', '-100000', 'x', '', '9223372036854775807', '1.5']);
}

function milliseconds(random: Random): string {
  if (random.chance(0.85)) return String(random.integer(SECONDS_MIN, SECONDS_MAX) * 1000);
  return random.pick(['0', '-1', '-100000', 'x', '', '9223372036854775807', '1.5']);
}

function unixSeconds(random: Random): string {
  if (random.chance(0.85)) return String(random.integer(2_000_000_000, 4_000_000_000));
  return random.pick(['1', '0', '-1', 'x', '9223372036854775807']);
}

function unixMilliseconds(random: Random): string {
  if (random.chance(0.85)) return `${random.integer(2_000_000_000, 4_000_000_000)}123`;
  return random.pick(['1', '0', '-1', 'x', '9007199254740991']);
}

const database = oneOf(['0', '0', '1', '2', '15'], ['16', '-1', 'x', '99999999999']);

const BY_NAME: Readonly<Record<string, (random: Random) => Word>> = {
  field: oneOf(FIELDS),
  value,
  seconds,
  milliseconds,
  'unix-time-seconds': unixSeconds,
  'unix-time-milliseconds': unixMilliseconds,
  'serialized-value': oneOf(
    DUMPED.map((_, payload) => ({ payload })),
    ['', 'bad', 'x'.repeat(20)],
  ),
  ttl: (random) => (random.chance(0.3) ? '0' : milliseconds(random)),
  frequency: small(0, 255),
  cursor: oneOf(['0'], ['x', '', '-1', '00']),
  count: oneOf(['1000', '1000', '1000', '5', '-3', '1'], ['0', 'x', '9223372036854775807']),
  start: small(-12, 12),
  end: small(-12, 12),
  offset: small(0, 120),
  bit: oneOf(['0', '1'], ['2', 'x', '-1']),
  encoding: oneOf(['u8', 'i8', 'i5', 'u1', 'i64', 'u63', 'i1'], ['u64', 'i65', 'x', '8', 'I8', '']),
  operation: oneOf(['AND', 'or', 'XOR', 'NOT'], ['NAND', '']),
  db: database,
  index: database,
  index1: database,
  index2: database,
  'destination-db': database,
  type: oneOf(['string', 'hash', 'HASH'], ['list', 'nosuch', '']),
  protover: oneOf(['2', '3'], ['1', '4', 'x', '']),
  username: oneOf(['default'], ['nobody']),
  password: oneOf(['secret']),
  clientname: oneOf(['me', 'a-b'], ['a b', '']),
  'connection-name': oneOf(['me', 'a-b', ''], ['a b', 'a\nb']),
  message: oneOf(['', 'hello', 'a b']),
  len: small(0, 4),
  increment: integer,
  decrement: integer,
  version: oneOf(['5', '6', '1'], ['x']),
  'client-id': oneOf(['1', '99999999'], ['x', '0', '-1']),
  numreplicas: oneOf(['0'], ['-1', 'x']),
  timeout: oneOf(['0', '1'], ['-1', 'x']),
  section: oneOf(['server', 'keyspace', 'nosuch', 'all']),
  'command-name': oneOf(['get', 'SET', 'nosuch', 'client|list']),
  category: oneOf(['string', 'hash', 'nosuch']),
  'module-name': oneOf(['nosuch']),
};
