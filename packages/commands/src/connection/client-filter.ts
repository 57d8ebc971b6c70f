/** Which clients CLIENT LIST and CLIENT KILL mean. Source: Redis 7.4, `networking.c`. */
import { parseInt64, parseSafeInteger } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { NOT_AN_INTEGER, SYNTAX } from '../errors.js';
import type { Session } from '../session.js';

const ID = word('id');
const TYPE = word('type');
const USER = word('user');
const ADDR = word('addr');
const LADDR = word('laddr');
const SKIPME = word('skipme');
const MAXAGE = word('maxage');
const YES = word('yes');
const NO = word('no');

const NORMAL = word('normal');
/** Kinds of clients that do not exist here. */
const OTHER_TYPES = ['master', 'replica', 'slave', 'pubsub'].map(word);

type Condition = (session: Session) => boolean;

/** `normal` or another kind of client in argument `index`; `undefined` with the error replied. */
export function readClientType(call: Call, index: number): Condition | undefined {
  if (call.is(index, NORMAL)) return () => true;
  if (OTHER_TYPES.some((type) => call.is(index, type))) return () => false;
  call.fail(`ERR Unknown client type '${call.quote(index)}'`);
  return undefined;
}

/** The filters of CLIENT KILL from argument `index` on; `undefined` with the error replied. */
export function readKillFilters(call: Call, index: number): Condition | undefined {
  const conditions: Condition[] = [];
  let skipSelf = true;
  for (let i = index; i < call.argc; i += 2) {
    if (i + 1 === call.argc) return refused(call, SYNTAX);
    if (call.is(i, SKIPME)) {
      skipSelf = call.is(i + 1, YES);
      if (!skipSelf && !call.is(i + 1, NO)) return refused(call, SYNTAX);
      continue;
    }
    const condition = readCondition(call, i);
    if (condition === undefined) return undefined;
    conditions.push(condition);
  }
  const self = call.session;
  return (session) =>
    !(skipSelf && session === self) && conditions.every((condition) => condition(session));
}

/** A filter and its value at `index`. */
function readCondition(call: Call, index: number): Condition | undefined {
  const value = index + 1;
  if (call.is(index, TYPE)) return readClientType(call, value);
  if (call.is(index, ID)) {
    const id = parseSafeInteger(call.bytes, call.starts[value], call.ends[value]);
    if (!(id > 0)) return refused(call, 'ERR client-id should be greater than 0');
    return (session) => session.id === id;
  }
  if (call.is(index, MAXAGE)) {
    const age = parseInt64(call.bytes, call.starts[value], call.ends[value]);
    if (age === undefined) return refused(call, NOT_AN_INTEGER);
    if (age <= 0n) return refused(call, 'ERR maxage should be greater than 0');
    const connectedBeforeMs = call.environment.host.wallMs() - Number(age) * 1000;
    return (session) => session.connectedAtMs <= connectedBeforeMs;
  }
  const text = call.text(value);
  if (call.is(index, ADDR)) return (session) => session.address === text;
  if (call.is(index, LADDR)) return (session) => session.localAddress === text;
  if (!call.is(index, USER)) return refused(call, SYNTAX);
  if (text !== 'default') return refused(call, `ERR No such user '${call.quote(value)}'`);
  return (session) => session.user === text;
}

function refused(call: Call, text: string): undefined {
  call.fail(text);
  return undefined;
}
