/** The whole run: rounds of random requests until enough were compared, then the reckoning. */

import { commandTable } from '@nendb/commands';
import type { Reply } from '@nendb/resp';
import { parsed } from './alike.js';
import { Coverage } from './coverage.js';
import { EXPLANATIONS, type Explanation } from './explained.js';
import { Generator, shapes } from './generator.js';
import { NendbPeer } from './nendb-peer.js';
import type { Peer } from './peer.js';
import { Random } from './random.js';
import { RedisPeer } from './redis-peer.js';
import { reduced } from './reduce.js';
import { plainRequest, textOf, writtenRequest } from './request.js';
import { type Mismatch, type Peers, runRound } from './round.js';

export interface RunOptions {
  /** Requests to compare. */
  requests: number;
  seed: number;
  /** The store of NenDB's engine; its default where it is missing. */
  store?: string;
  /** Ends the run early, between two rounds, in ms from its start. */
  timeMsMax?: number;
  log?: (line: string) => void;
}

export interface RunReport {
  compared: number;
  rounds: number;
  elapsedMs: number;
  /** Commands and options with how often they were answered without an error, the rarest first. */
  coverage: readonly [unit: string, count: number][];
  /** Reasons of differences with how often they were met. */
  explained: readonly { reason: string; commands: readonly string[]; times: number }[];
}

const REQUESTS_PER_ROUND = 1000;

/** A difference that nothing explains. The message has the shortest round that was found to show it. */
export class DifferenceError extends Error {
  override readonly name = 'DifferenceError';
  constructor(
    readonly mismatch: Mismatch,
    message: string,
  ) {
    super(message);
  }
}

/** Compares; throws `DifferenceError` at the first difference that nothing explains. */
export async function runDifferential(options: RunOptions): Promise<RunReport> {
  const theirs = await RedisPeer.start();
  const ours = await NendbPeer.start(options.store);
  try {
    return await compare({ ours, theirs }, options);
  } finally {
    await theirs.close();
    await ours.close();
  }
}

/** The same between two sides of the caller's choice. */
export async function compare(peers: Peers, options: RunOptions): Promise<RunReport> {
  return runRounds(peers, options, performance.now());
}

async function runRounds(peers: Peers, options: RunOptions, startMs: number): Promise<RunReport> {
  const all = shapes(await knownTo(peers.theirs));
  const coverage = new Coverage(all.flatMap(({ units }) => units));
  const times = new Map<Explanation, number>(EXPLANATIONS.map((entry) => [entry, 0]));
  let compared = 0;
  let rounds = 0;
  while (compared < options.requests) {
    if (performance.now() - startMs > (options.timeMsMax ?? Number.POSITIVE_INFINITY)) break;
    const random = new Random(options.seed + rounds * 7919);
    const protocol = rounds % 2 === 0 ? 2 : 3;
    const generator = new Generator(random, coverage, all);
    const scene = EXPLANATIONS[Math.floor(rounds / 2) % EXPLANATIONS.length];
    const requests = scene.example.map(writtenRequest);
    // A scene from which on the contents differ is a round by itself.
    while (scene.diverges !== true && requests.length < REQUESTS_PER_ROUND) {
      requests.push(generator.next());
    }
    const result = await runRound(peers, protocol, requests);
    rounds++;
    if (result.mismatch !== undefined) {
      const round = requests.slice(0, result.mismatch.at + 1);
      const { mismatch, shortest } = await reduced(peers, protocol, round, result.mismatch);
      throw new DifferenceError(
        mismatch,
        [
          `a difference that nothing explains (seed ${options.seed}, round ${rounds}, RESP${protocol}):`,
          ...shortest.map((request) => `  ${textOf(request)}`),
          `at: ${mismatch.request}`,
          `NenDB: ${JSON.stringify(mismatch.ours)}`,
          `Redis: ${JSON.stringify(mismatch.theirs)}`,
        ].join('\n'),
      );
    }
    compared += result.compared;
    for (const units of result.answered) coverage.add(units);
    for (const entry of result.explained) times.set(entry, (times.get(entry) ?? 0) + 1);
    if (rounds % 100 === 0) options.log?.(`${compared} requests compared`);
  }
  return {
    compared,
    rounds,
    elapsedMs: performance.now() - startMs,
    coverage: coverage.table(),
    explained: [...times].map(([{ reason, commands }, count]) => ({
      reason,
      commands,
      times: count,
    })),
  };
}

/** The full names of the commands that the server has, and the tokens of each. */
async function knownTo(redis: Peer): Promise<Map<string, Set<string>>> {
  const names = commandTable.byIndex.map(({ fullName }) => fullName);
  const replies = await redis.run(names.map((name) => plainRequest(`COMMAND DOCS ${name}`)));
  const known = new Map<string, Set<string>>();
  for (const [i, reply] of replies.entries()) {
    const docs = parsed(reply);
    if (!Array.isArray(docs) || docs.length === 0) continue;
    const tokens = new Set<string>();
    collectTokens(docs, tokens);
    known.set(names[i], tokens);
  }
  return known;
}

/** Descriptions are flat lists of names and values, in RESP2. */
function collectTokens(reply: Reply, tokens: Set<string>): void {
  if (!Array.isArray(reply)) return;
  for (const [i, item] of reply.entries()) {
    if (i > 0 && String(reply[i - 1]) === 'token') tokens.add(String(item));
    collectTokens(item, tokens);
  }
}
