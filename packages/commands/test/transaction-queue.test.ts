/**
 * The queue of a MULTI once kept objects for each command: 900,000 queued PINGs took 570 MB where
 * 230 MB were accounted, and four such clients ended a process with a heap of 2 GB.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueueReader } from '../src/dispatch/queue.js';
import { commandTable, OwnedRequest, TransactionQueue } from '../src/index.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

const MiB = 1024 * 1024;

function commandNamed(name: string) {
  const command = commandTable.byFullName(name);
  if (command === undefined) throw new Error(`expected a command named ${name}`);
  return command;
}

const PING = commandNamed('ping');
const SET = commandNamed('set');

/** What a queue replays, as text. */
function replayed(queue: TransactionQueue): string[][] {
  const reader = new QueueReader();
  const all: string[][] = [];
  for (reader.open(queue); reader.next(); ) {
    const args = Array.from({ length: reader.argc }, (_, i) =>
      Buffer.from(reader.bytes.subarray(reader.starts[i], reader.ends[i])).toString('latin1'),
    );
    all.push([commandTable.byIndex[reader.commandIndex].fullName, ...args]);
  }
  return all;
}

describe('the queue of a transaction', () => {
  it('takes a few bytes for a small command, and accounts what it has allocated', () => {
    const queue = new TransactionQueue();
    const before = process.memoryUsage();
    const request = OwnedRequest.of(['PING']);
    for (let i = 0; i < 900_000; i++) queue.add(PING, request, 256 * MiB);
    const after = process.memoryUsage();
    expect(queue.count).toBe(900_000);
    expect(queue.allocatedBytes).toBeLessThan(32 * MiB);
    const grownBytes = after.heapUsed + after.external - before.heapUsed - before.external;
    // What the growing left behind may not have been collected yet.
    expect(grownBytes).toBeLessThan(3 * queue.allocatedBytes);
  });

  it('never allocates more than its bound, whatever is queued', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 5 }), {
          maxLength: 40,
        }),
        (bytesMax, requests) => {
          const queue = new TransactionQueue();
          for (const lengths of requests) {
            const before = queue.count;
            const added = queue.add(
              SET,
              OwnedRequest.of(lengths.map((n) => 'x'.repeat(n))),
              bytesMax,
            );
            expect(queue.count).toBe(before + (added ? 1 : 0));
            expect(queue.allocatedBytes).toBeLessThanOrEqual(bytesMax);
          }
        },
      ),
      { seed: FIXED_SEED, numRuns: 300 },
    );
  });

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('transaction-queue')],
  ])('replays what was queued, in order (%s seed)', (_name, seed) => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 10 }),
      fc.constant('y'.repeat(200)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(argument, { minLength: 1, maxLength: 6 }), { maxLength: 100 }),
        (requests) => {
          const queue = new TransactionQueue();
          for (const args of requests) queue.add(SET, OwnedRequest.of(args), MiB);
          expect(replayed(queue)).toEqual(requests.map((args) => ['set', ...args]));
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  it('replays a request of very many arguments, and small ones after it', () => {
    const queue = new TransactionQueue();
    const many = Array.from({ length: 5_000 }, (_, i) => String(i));
    queue.add(SET, OwnedRequest.of(many), MiB);
    queue.add(PING, OwnedRequest.of(['PING', '']), MiB);
    expect(replayed(queue)).toEqual([
      ['set', ...many],
      ['ping', 'PING', ''],
    ]);
  });

  it('gives everything back when the transaction has failed', () => {
    const queue = new TransactionQueue();
    queue.add(SET, OwnedRequest.of(['SET', 'k', 'v']), MiB);
    queue.fail();
    expect(queue).toMatchObject({ failed: true, count: 0, allocatedBytes: 0 });
    expect(replayed(queue)).toEqual([]);
  });
});
