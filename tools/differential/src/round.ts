/**
 * A round: both servers emptied, the same requests to both, their replies compared one by one, then
 * everything that they hold.
 */
import { commandTable } from '@nendb/commands';
import { alike, canonical, isError, parsed } from './alike.js';
import { EXPLANATIONS, type Explanation } from './explained.js';
import { isList, itemsOf } from './frames.js';
import type { Peer } from './peer.js';
import { type DifferentialRequest, plainRequest, textOf } from './request.js';

const QUEUED = Buffer.from('+QUEUED\r\n');

/** Commands that end what MULTI began without running it. */
const FORGETS = new Set(['discard', 'reset']);

export interface Mismatch {
  /** The request's place in the round; the number of requests for the contents at its end. */
  at: number;
  request: string;
  ours: string;
  theirs: string;
}

export interface RoundResult {
  mismatch?: Mismatch;
  explained: Explanation[];
  /** Units of the requests that both answered without an error. */
  answered: (readonly string[])[];
  /** Requests that were compared. */
  compared: number;
}

export interface Peers {
  ours: Peer;
  theirs: Peer;
}

const DATABASES = 16;

export async function runRound(
  peers: Peers,
  protocol: 2 | 3,
  requests: readonly DifferentialRequest[],
): Promise<RoundResult> {
  await begin(peers, protocol);
  const [theirs, ours] = [await peers.theirs.run(requests), await peers.ours.run(requests)];
  const result: RoundResult = { explained: [], answered: [], compared: 0 };
  const comparison = new Comparison(result);
  for (const [at, request] of requests.entries()) {
    const found = comparison.next(at, request, ours[at], theirs[at]);
    if (found !== undefined) return { ...result, mismatch: found };
    result.compared++;
    if (comparison.diverged) return result;
  }
  const mismatch = await compareContents(peers, requests.length);
  return mismatch === undefined ? result : { ...result, mismatch };
}

async function begin(peers: Peers, protocol: 2 | 3): Promise<void> {
  await reconnect(peers);
  const setUp = [plainRequest(`HELLO ${protocol}`), plainRequest('FLUSHALL')];
  await peers.ours.run(setUp);
  await peers.theirs.run(setUp);
}

/** Compares the replies of a round, in order. */
class Comparison {
  diverged = false;
  readonly #result: RoundResult;
  readonly #history: DifferentialRequest[] = [];
  #queued: DifferentialRequest[] = [];

  constructor(result: RoundResult) {
    this.#result = result;
  }

  next(
    at: number,
    request: DifferentialRequest,
    ours: Buffer,
    theirs: Buffer,
  ): Mismatch | undefined {
    this.#history.push(request);
    const name = request.command?.fullName ?? '';
    const queued = ours.equals(QUEUED) && theirs.equals(QUEUED);
    if (queued) this.#queued.push(request);
    else if (!this.#same(request, ours, theirs)) {
      return {
        at,
        request: textOf(request),
        ours: ours.toString('latin1'),
        theirs: theirs.toString('latin1'),
      };
    }
    const forgets = name === 'exec' || name === 'multi' || FORGETS.has(name);
    if (forgets && !queued && !isError(ours)) this.#queued = [];
    return undefined;
  }

  /** Whether the replies are the same, alike, or differ as is explained. Counts what was answered. */
  #same(request: DifferentialRequest, ours: Buffer, theirs: Buffer): boolean {
    const name = request.command?.fullName ?? '';
    if (name === 'exec' && isList(ours) && isList(theirs)) return this.#sameResults(ours, theirs);
    if (ours.equals(theirs) || alike(request, ours, theirs)) {
      if (!isError(ours)) this.#result.answered.push(request.units);
      return true;
    }
    const difference = {
      request,
      ours: parsed(ours),
      theirs: parsed(theirs),
      history: this.#history,
    };
    const explanation = EXPLANATIONS.find(
      ({ commands, applies }) => commands.includes(name) && applies(difference),
    );
    if (explanation === undefined) return false;
    this.#result.explained.push(explanation);
    this.diverged ||= explanation.diverges === true;
    return true;
  }

  /** EXEC: each result as the reply to its command. */
  #sameResults(ours: Buffer, theirs: Buffer): boolean {
    const [mine, known] = [itemsOf(ours), itemsOf(theirs)];
    this.#result.answered.push(['exec']);
    return (
      mine.length === known.length &&
      mine.every((item, i) => this.diverged || this.#same(this.#queued[i], item, known[i]))
    );
  }
}

/** Every key of every database, with its type, its time and its value. */
async function compareContents(peers: Peers, at: number): Promise<Mismatch | undefined> {
  // Whatever the round left: a transaction, another protocol, another database.
  await reconnect(peers);
  for (let database = 0; database < DATABASES; database++) {
    const select = [plainRequest(`SELECT ${database}`), plainRequest('KEYS *')];
    const ours = (await peers.ours.run(select))[1];
    const theirs = (await peers.theirs.run(select))[1];
    const [mine, known] = [keysIn(ours), keysIn(theirs)];
    if (canonical(mine) !== canonical(known)) {
      return {
        at,
        request: `KEYS * in ${database}`,
        ours: canonical(mine),
        theirs: canonical(known),
      };
    }
    const looks = mine.flatMap((key) => [
      look('type', key),
      look('pexpiretime', key),
      look('get', key),
      look('hgetall', key),
    ]);
    const [a, b] = [await peers.ours.run(looks), await peers.theirs.run(looks)];
    for (const [i, request] of looks.entries()) {
      if (a[i].equals(b[i]) || alike(request, a[i], b[i])) continue;
      const described = `${textOf(request)} in ${database}`;
      return {
        at,
        request: described,
        ours: canonical(parsed(a[i])),
        theirs: canonical(parsed(b[i])),
      };
    }
  }
  return undefined;
}

async function reconnect(peers: Peers): Promise<void> {
  await peers.ours.reconnect();
  await peers.theirs.reconnect();
}

function look(name: string, key: Buffer): DifferentialRequest {
  return { words: [name, key], command: commandTable.byFullName(name), units: [] };
}

function keysIn(reply: Buffer): Buffer[] {
  const keys = parsed(reply);
  return Array.isArray(keys) ? keys.filter((key) => Buffer.isBuffer(key)).sort(Buffer.compare) : [];
}
