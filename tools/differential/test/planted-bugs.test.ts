/** Wrong answers are found, and shown in few requests: each bug here once was one, somewhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compare,
  DifferenceError,
  type DifferentialRequest,
  NendbPeer,
  type Peer,
  RedisPeer,
  redisVersion,
} from '../src/index.js';

type Tamper = (request: DifferentialRequest, reply: Buffer) => Buffer | undefined;

/** The real one, with some of its replies replaced. */
class BuggyPeer implements Peer {
  constructor(
    readonly inner: NendbPeer,
    readonly tamper: Tamper,
  ) {}

  async run(requests: readonly DifferentialRequest[]): Promise<Buffer[]> {
    const replies = await this.inner.run(requests);
    return replies.map((reply, i) => this.tamper(requests[i], reply) ?? reply);
  }

  reconnect(): Promise<void> {
    return this.inner.reconnect();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

const bytes = (text: string) => Buffer.from(text, 'latin1');
const nameOf = (request: DifferentialRequest) => request.command?.fullName;

const BUGS: Readonly<Record<string, Tamper>> = {
  'an increment that is one off at a round number': (request, reply) =>
    nameOf(request) === 'incrby' && reply.equals(bytes(':100\r\n')) ? bytes(':101\r\n') : undefined,
  'a null of the other protocol': (_request, reply) =>
    reply.equals(bytes('_\r\n')) ? bytes('$-1\r\n') : undefined,
  'another text for an error': (_request, reply) =>
    reply.equals(bytes('-ERR syntax error\r\n')) ? bytes('-ERR bad syntax\r\n') : undefined,
  'a field that is missing at the end': (request, reply) =>
    nameOf(request) === 'hgetall' && reply.includes('__proto__') ? bytes('*0\r\n') : undefined,
};

describe.skipIf(redisVersion() === undefined)('a planted bug', () => {
  let ours: NendbPeer;
  let theirs: RedisPeer;

  beforeAll(async () => {
    ours = await NendbPeer.start();
    theirs = await RedisPeer.start();
  });

  afterAll(async () => {
    await theirs?.close();
    await ours?.close();
  });

  it.each(Object.entries(BUGS))('is found: %s', async (_name, tamper) => {
    const peers = { ours: new BuggyPeer(ours, tamper), theirs };
    const found = await compare(peers, { requests: 50_000, seed: 5 }).catch((error) => error);
    expect(found).toBeInstanceOf(DifferenceError);
    const shown = (found as DifferenceError).message.split('\n').filter((l) => l.startsWith('  '));
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.length).toBeLessThan(12);
  });
});
