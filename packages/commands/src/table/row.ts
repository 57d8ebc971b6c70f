/**
 * What a row of the command table says. COMMAND, arity errors, key extraction, the read and write
 * checks and the transaction a handler runs in all come from it: there is no second list.
 *
 * Source of names and numbers: COMMAND INFO and COMMAND DOCS of Redis 7.
 */
import type { Call } from '../dispatch/call.js';
import type { Request } from '../dispatch/request.js';

export type CommandFlag =
  /** Runs in a transaction and may change data. */
  | 'write'
  /** Runs in a transaction and changes nothing. */
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'noscript'
  | 'loading'
  | 'stale'
  | 'fast'
  /** Allowed before authentication. */
  | 'no_auth'
  /** Refused inside MULTI. A command whose handler may return a promise has it, or `unqueued`. */
  | 'no_multi'
  | 'no_async_loading'
  | 'allow_busy'
  | 'skip_slowlog';

export type CommandGroup =
  | 'bitmap'
  | 'cluster'
  | 'connection'
  | 'generic'
  | 'hash'
  | 'server'
  | 'string'
  | 'transactions';

/** ACL categories that flags do not imply. */
export type CommandCategory =
  | 'bitmap'
  | 'connection'
  | 'dangerous'
  | 'admin'
  | 'hash'
  | 'keyspace'
  | 'string'
  | 'transaction';

/** Keys that are used alike. Positions count from the command's name, 0; a negative `last` from the end. */
export interface KeySpec {
  first: number;
  last: number;
  step: number;
  /** How they are used, in the words of COMMAND GETKEYSANDFLAGS: `RW access update`. */
  access: string;
}

/** Which arguments are keys. */
export interface KeyRange extends KeySpec {
  /** The access in one call, where its options decide. */
  accessOf?: (call: Call) => string;
  /** The parts of the range, where not all of its keys are used alike; `access` is not looked at then. */
  parts?: readonly KeySpec[];
  /** Of one call: the argument that names another database for the last key; 0 where none does. */
  otherDatabaseAt?: (request: Request) => number;
}

/** One key, the first argument. */
export function oneKey(access: string): KeyRange {
  return { first: 1, last: 1, step: 1, access };
}

/** Two keys, used each in its way. */
export function twoKeys(firstAccess: string, secondAccess: string): KeyRange {
  const [one, two] = [oneKey(firstAccess), { ...oneKey(secondAccess), first: 2, last: 2 }];
  return { ...one, last: 2, parts: [one, two] };
}

/** All arguments, or every `step`-th one. */
export function allKeys(access: string, step = 1): KeyRange {
  return { first: 1, last: -1, step, access };
}

/**
 * Runs a command: reads its arguments from `call` and writes exactly one reply.
 *
 * A handler of a `readonly` or `write` command is synchronous and finds its transaction in
 * `call.transaction`. Others may return a promise; whatever they need after their first `await`
 * they take from `call` before it, since `call` is one reused object.
 */
export type Handler = (call: Call) => void | Promise<void>;

/** A row as families write it. */
export interface CommandSpec {
  /** In lower case. */
  name: string;
  /** Number of arguments, the name (and the subcommand's) included; negative: at least so many. */
  arity: number;
  flags: readonly CommandFlag[];
  group: CommandGroup;
  categories?: readonly CommandCategory[];
  keys?: KeyRange;
  /** The Redis release that has it, or of NenDB where Redis has it not. */
  since: string;
  summary: string;
  complexity: string;
  tips?: readonly string[];
  /** Its arguments, in the form of `syntax.ts`; none where it is missing. */
  syntax?: string;
  /** For operators and tools, as COMMAND DOCS says. */
  system?: true;
  /** Since which Redis release it need not be used any more, and what takes its place. */
  deprecated?: { since: string; replacedBy: string };
  /** Runs at once even inside MULTI: EXEC, DISCARD, QUIT and the like. */
  unqueued?: boolean;
  /** Missing in a container that needs a subcommand. */
  handler?: Handler;
  subcommands?: readonly CommandSpec[];
}

/** A row as the dispatcher uses it: what is asked for each command is a plain field. */
export class Command {
  /** `client|setname` for a subcommand. */
  readonly fullName: string;
  /** The last part of the name, in lower case, as bytes. */
  readonly nameBytes: Uint8Array;
  readonly arity: number;
  readonly isWrite: boolean;
  /** Runs inside an engine transaction. */
  readonly usesData: boolean;
  readonly needsAuth: boolean;
  readonly allowedInMulti: boolean;
  readonly queued: boolean;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  readonly otherDatabaseAt: KeyRange['otherDatabaseAt'];
  readonly handler: Handler | undefined;
  /** Empty for most. */
  readonly subcommands: readonly Command[];
  /** Where its counters are. */
  readonly index: number;

  constructor(
    readonly spec: CommandSpec,
    nextIndex: () => number,
    container?: CommandSpec,
  ) {
    this.fullName = container ? `${container.name}|${spec.name}` : spec.name;
    this.nameBytes = new Uint8Array(Buffer.from(spec.name, 'latin1'));
    this.arity = spec.arity;
    this.isWrite = spec.flags.includes('write');
    this.usesData = this.isWrite || spec.flags.includes('readonly');
    this.needsAuth = !spec.flags.includes('no_auth');
    this.allowedInMulti = !spec.flags.includes('no_multi');
    this.queued = spec.unqueued !== true;
    this.firstKey = spec.keys?.first ?? 0;
    this.lastKey = spec.keys?.last ?? 0;
    this.keyStep = spec.keys?.step ?? 0;
    this.otherDatabaseAt = spec.keys?.otherDatabaseAt;
    this.handler = spec.handler;
    this.index = nextIndex();
    this.subcommands = (spec.subcommands ?? []).map((sub) => new Command(sub, nextIndex, spec));
  }

  accepts(argc: number): boolean {
    return this.arity >= 0 ? argc === this.arity : argc >= -this.arity;
  }

  /** The position of the last key among `argc` arguments. */
  lastKeyOf(argc: number): number {
    const last = this.lastKey >= 0 ? this.lastKey : argc + this.lastKey;
    return Math.min(last, argc - 1);
  }
}
