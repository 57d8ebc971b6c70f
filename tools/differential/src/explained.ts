/**
 * Where NenDB answers otherwise than redis-server 7.0.15, and why: the whole list. An entry that no run
 * meets fails the run, and so does a difference that no entry explains. Each has an example, which
 * some rounds begin with.
 */
import { type Reply, RespError } from '@nendb/resp';
import type { DifferentialRequest } from './request.js';

export interface Difference {
  readonly request: DifferentialRequest;
  readonly ours: Reply;
  readonly theirs: Reply;
  /** Requests of the round so far, this one included. */
  readonly history: readonly DifferentialRequest[];
}

export interface Explanation {
  /** Full names. */
  readonly commands: readonly string[];
  readonly applies: (difference: Difference) => boolean;
  readonly reason: string;
  /** Requests that show it, words separated by single spaces, to empty servers. */
  readonly example: readonly string[];
  /** Whether the contents differ from then on: the round ends. */
  readonly diverges?: true;
}

const text = (reply: Reply): string => (Buffer.isBuffer(reply) ? reply.toString('latin1') : '');

const isRefusal = (reply: Reply, pattern: RegExp): boolean =>
  reply instanceof RespError && pattern.test(reply.message);

const hasWord = ({ words }: DifferentialRequest, pattern: RegExp): boolean =>
  words.some((word) => typeof word === 'string' && pattern.test(word));

const hadWord = ({ history }: Difference, pattern: RegExp): boolean =>
  history.some((request) => hasWord(request, pattern));

/** Whether a scan's page is the last one. */
const isWhole = (reply: Reply): boolean => Array.isArray(reply) && text(reply[0]) === '0';

const areNumbers = ({ ours, theirs }: Difference): boolean =>
  typeof ours === 'number' && typeof theirs === 'number';

/** Shared integers that were used last before the run began are older than any key. */
const RUN_SECONDS_MAX = 3_600;
const FRESH_SECONDS_MAX = 5;

export const EXPLANATIONS: readonly Explanation[] = [
  {
    commands: ['object|encoding'],
    applies: ({ ours, theirs }) =>
      ['int', 'embstr'].includes(text(ours)) && ['embstr', 'raw'].includes(text(theirs)),
    reason:
      'Redis remembers how a string came to be: one that was appended to, patched or computed is not stored as a short string or an integer. NenDB has one form and names the one for a value that was set.',
    example: ['APPEND s0 a', 'APPEND s0 b', 'OBJECT ENCODING s0'],
  },
  {
    commands: ['object|encoding'],
    applies: ({ ours, theirs }) => text(ours) === 'listpack' && text(theirs) === 'hashtable',
    reason:
      'Redis never turns a hash back into a listpack when its long values have gone. NenDB has one form and names the one for what is there.',
    example: [`HSET h0 f ${'x'.repeat(65)} g 1`, 'HDEL h0 f', 'OBJECT ENCODING h0'],
  },
  {
    commands: ['object|refcount'],
    applies: ({ ours, theirs }) => ours === 1 && typeof theirs === 'number' && theirs > 1,
    reason:
      'Redis shares the integers from 0 to 9999 among keys, and a value with the request that set it while EXEC runs. Here a value belongs to its key.',
    example: ['SET s0 7', 'OBJECT REFCOUNT s0'],
  },
  {
    commands: ['object|idletime'],
    applies: (difference) =>
      areNumbers(difference) &&
      (hadWord(difference, /^swapdb$/i) ||
        (Number(difference.ours) <= FRESH_SECONDS_MAX &&
          Number(difference.theirs) <= RUN_SECONDS_MAX)),
    reason:
      'When a key was last used is known by its name and the number of its database: SWAPDB exchanges the keys and leaves the times. Redis keeps it in the value, and so for all keys with one of the shared integers together.',
    example: [
      'SELECT 1',
      'RESTORE s0 0 <0> IDLETIME 1000',
      'SWAPDB 0 1',
      'SELECT 0',
      'OBJECT IDLETIME s0',
    ],
  },
  {
    commands: ['scan', 'hscan'],
    applies: ({ ours, theirs, request }) =>
      !isWhole(ours) || !isWhole(theirs) || !request.words.includes('0'),
    reason:
      'A page of a scan is as long as COUNT says, about; its order, and so what is on a page and what a cursor that nobody gave out means, is a matter of each server.',
    example: [
      ...Array.from({ length: 30 }, (_, i) => `SET key${i} v`),
      'SCAN 0 COUNT 5',
      'FLUSHALL',
    ],
  },
  {
    commands: [
      ...['set', 'setex', 'psetex', 'getex', 'expire', 'pexpire', 'expireat', 'pexpireat'],
      'restore',
    ],
    applies: ({ ours, theirs }) =>
      isRefusal(ours, /^ERR (invalid expire time in|Invalid TTL value)/) &&
      !(theirs instanceof RespError),
    reason:
      'Times above 2^53 - 1 ms (the year 287396) are refused: no effect can carry them. Redis goes on to 2^63 - 1, and RESTORE even beyond, into the past.',
    example: ['SET s0 v', 'PEXPIREAT s0 9223372036854775807'],
    diverges: true,
  },
  {
    commands: ['hello'],
    applies: ({ ours, theirs }) =>
      isRefusal(ours, /^ERR (Syntax error in HELLO option|Client names)/) &&
      isRefusal(theirs, /^WRONGPASS/),
    reason:
      'Redis 7.0 authenticates while it reads the options of HELLO; 7.4, as here, when it has read them all.',
    example: ['HELLO 2 AUTH nobody secret nosuch'],
  },
  {
    commands: ['dbsize'],
    applies: (difference) =>
      areNumbers(difference) &&
      Number(difference.theirs) > Number(difference.ours) &&
      hadWord(difference, /^(exat|pxat)$/i),
    reason:
      'Redis keeps a key that was set with a time in the past, and counts it until it looks at it. Here it is gone at once.',
    example: ['SET s0 v PXAT 1', 'DBSIZE', 'DEL s0'],
  },
  {
    commands: ['exec'],
    applies: (difference) =>
      Array.isArray(difference.ours) &&
      difference.theirs === null &&
      hadWord(difference, /^(exat|pxat)$/i),
    reason:
      'A key that is watched, is not there, and is set with a time in the past: Redis keeps it until it looks at it, which is a change. Here nothing changes.',
    example: ['WATCH s0', 'SET s0 v PXAT 1', 'MULTI', 'EXEC'],
    diverges: true,
  },
  {
    commands: ['exec'],
    applies: ({ ours, theirs, history }) =>
      ours === null &&
      Array.isArray(theirs) &&
      history.some((request) => hasWord(request, /^bitfield$/i) && hasWord(request, /^fail$/i)),
    reason:
      'A BITFIELD of which all writes overflow and fail makes the string longer all the same. Redis does not tell those who watch the key; here they hear of every change.',
    example: ['WATCH s0', 'BITFIELD s0 OVERFLOW FAIL INCRBY u1 100 51', 'MULTI', 'EXEC'],
    diverges: true,
  },
  {
    commands: ['client|getname'],
    applies: ({ history }) =>
      history.some((request) => hasWord(request, /^hello$/i) && hasWord(request, /^setname$/i)),
    reason:
      'Redis 7.0 sets the name while it reads the options of HELLO, even where it then refuses another; 7.4, as here, when it has read them all.',
    example: ['HELLO 2 SETNAME me nosuch', 'CLIENT GETNAME'],
  },
];
