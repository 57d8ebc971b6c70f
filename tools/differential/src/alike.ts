/**
 * When two replies that differ in their bytes still say the same: what has no order, what depends on
 * when the command ran, what is drawn at random.
 */
import { type Reply, ReplyParser, RespDouble, RespError, RespVerbatim } from '@nendb/resp';
import type { DifferentialRequest } from './request.js';

/** How far apart the two servers may run the same command, in ms. */
const APART_MS_MAX = 5_000;

export function parsed(bytes: Buffer): Reply {
  const parser = new ReplyParser();
  parser.push(bytes);
  const frame = parser.next();
  if (frame === undefined) throw new Error(`expected a reply, got ${bytes.toString('latin1')}`);
  return frame.value;
}

export function isError(bytes: Buffer): boolean {
  return bytes[0] === 0x2d;
}

type Rule = (ours: Reply, theirs: Reply, request: DifferentialRequest) => boolean;

const within =
  (most: number): Rule =>
  (ours, theirs) =>
    typeof ours === 'number' &&
    typeof theirs === 'number' &&
    ours >= 0 === theirs >= 0 &&
    Math.abs(ours - theirs) <= most;

const seconds = within(APART_MS_MAX / 1000);
const milliseconds = within(APART_MS_MAX);

const sameItems: Rule = (ours, theirs) => sorted(ours) === sorted(theirs);

/** Fields with their values, flat in RESP2. */
const samePairs: Rule = (ours, theirs) => pairs(ours) === pairs(theirs);

/** A page of a scan: the same where each is all there is. */
const samePage =
  (rule: Rule): Rule =>
  (ours, theirs, request) =>
    Array.isArray(ours) &&
    Array.isArray(theirs) &&
    canonical(ours[0]) === canonical(theirs[0]) &&
    rule(ours[1], theirs[1], request);

/** One of those there are; which is a matter of chance. */
const sameKind: Rule = (ours, theirs) =>
  (ours === null) === (theirs === null) && Buffer.isBuffer(ours) === Buffer.isBuffer(theirs);

/** So many of those there are. */
const sameCount: Rule = (ours, theirs) =>
  Array.isArray(ours) && Array.isArray(theirs)
    ? ours.length === theirs.length &&
      ours.every((item, i) => Array.isArray(item) === Array.isArray(theirs[i]))
    : sameKind(ours, theirs, NO_REQUEST);

const NO_REQUEST: DifferentialRequest = { words: [], command: undefined, units: [] };

/** What HELLO says of the connection, but for who speaks. */
const sameGreeting: Rule = (ours, theirs) => greeting(ours) === greeting(theirs);

const RULES: Readonly<Record<string, Rule>> = {
  keys: sameItems,
  hkeys: sameItems,
  hvals: sameItems,
  hgetall: samePairs,
  scan: samePage(sameItems),
  hscan: samePage(samePairs),
  ttl: seconds,
  expiretime: seconds,
  pttl: milliseconds,
  pexpiretime: milliseconds,
  'object|idletime': seconds,
  randomkey: sameKind,
  hrandfield: sameCount,
  dump: sameKind,
  hello: sameGreeting,
};

/** Whether two replies to this request that differ in their bytes say the same. */
export function alike(request: DifferentialRequest, ours: Buffer, theirs: Buffer): boolean {
  const rule = request.command && RULES[request.command.fullName];
  return (
    rule !== undefined &&
    !isError(ours) &&
    !isError(theirs) &&
    rule(parsed(ours), parsed(theirs), request)
  );
}

/** A reply as text that is the same for the same reply only. */
export function canonical(reply: Reply): string {
  if (reply instanceof RespError) return `-${reply.message}`;
  if (Buffer.isBuffer(reply)) return `$${JSON.stringify(reply.toString('latin1'))}`;
  if (reply instanceof RespDouble) return `,${reply.value}`;
  if (reply instanceof RespVerbatim) return `=${reply.text}`;
  if (reply instanceof Map) {
    const items = [...reply].map(([key, value]) => `${canonical(key)}:${canonical(value)}`);
    return `%{${items.join(',')}}`;
  }
  if (reply instanceof Set) return `~{${[...reply].map(canonical).sort().join(',')}}`;
  if (Array.isArray(reply)) return `[${reply.map(canonical).join(',')}]`;
  if (typeof reply === 'string') return `+${reply}`;
  return `${typeof reply}:${reply}`;
}

function sorted(reply: Reply): string {
  return Array.isArray(reply) ? reply.map(canonical).sort().join(',') : canonical(reply);
}

function pairs(reply: Reply): string {
  if (reply instanceof Map) {
    return [...reply]
      .map(([key, value]) => `${canonical(key)}=${canonical(value)}`)
      .sort()
      .join(',');
  }
  if (!Array.isArray(reply)) return canonical(reply);
  const texts: string[] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) {
    texts.push(`${canonical(reply[i])}=${canonical(reply[i + 1])}`);
  }
  return texts.sort().join(',');
}

const GREETING_FIELDS = ['server', 'proto', 'mode', 'role'];

function greeting(reply: Reply): string {
  const said = new Map<string, string>();
  const entries: Reply[] =
    reply instanceof Map ? [...reply].flat() : Array.isArray(reply) ? reply : [];
  for (let i = 0; i + 1 < entries.length; i += 2)
    said.set(String(entries[i]), canonical(entries[i + 1]));
  return GREETING_FIELDS.map((field) => said.get(field)).join();
}
