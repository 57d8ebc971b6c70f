/** Whatever a client sends, it gets one whole reply, the engine stays usable and no handler breaks. */

import { encodeRequest } from '@nendb/resp';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandTable, Dispatcher, LocalHost, type ShutdownMode } from '../src/index.js';
import { Database, plain } from './harness/database.js';
import { DirectLink } from './harness/direct-link.js';
import { FIXED_SEED, rotatingSeed } from './harness/seeds.js';

/** Stays up, and remembers what went wrong. */
class StubbornHost extends LocalHost {
  readonly errors: Error[] = [];

  override async shutdown(_mode: ShutdownMode): Promise<void> {
    throw new Error('not now');
  }

  override report(error: Error): void {
    this.errors.push(error);
  }
}

/** Each SAVE writes a file: a few of them are enough. Others hold replies up, or back. */
const APART = new Set(['save', 'bgsave', 'bgrewriteaof', 'client pause', 'client reply']);

const names = commandTable.commands
  .flatMap((command) => [
    [command.fullName],
    ...command.subcommands.map((sub) => [command.fullName, sub.spec.name]),
  ])
  .filter((words) => !APART.has(words.join(' ')));

const argument = fc.oneof(
  fc.constantFrom('', '0', '-1', '1', 'x', 'k', 'h', '*', 'NX', 'GET', 'EX', 'COUNT', 'AUTH', 'ID'),
  fc.constantFrom('9223372036854775807', '-9223372036854775808', '1e400', '__proto__', '\r\n'),
  fc.string(),
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ minLength: 1_000, maxLength: 1_200 }),
);

const request = fc
  .tuple(fc.constantFrom(...names), fc.array(argument, { maxLength: 7 }))
  .map(([name, args]): (string | Uint8Array)[] => [...name, ...args]);

describe('any request', () => {
  let database: Database;
  let host: StubbornHost;
  let dispatcher: Dispatcher;

  beforeAll(async () => {
    database = await Database.open();
    host = new StubbornHost({ engine: database.engine });
    dispatcher = new Dispatcher({ engine: database.engine, host });
  });

  afterAll(() => database.close());

  it.each([
    ['fixed', FIXED_SEED],
    ['rotating', rotatingSeed('any-request')],
  ])('has one reply (%s seed)', async (_name, seed) => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 30, maxLength: 30 }), async (requests) => {
        const link = new DirectLink(dispatcher);
        for (const args of requests) await link.ask(args);
        expect(host.errors).toEqual([]);
        const check = new DirectLink(dispatcher);
        expect((await check.ask(['SET', 'k', 'v'])).value).toBe('OK');
        expect(plain((await check.ask(['GET', 'k'])).value)).toBe('v');
      }),
      { seed, numRuns: 150 },
    );
  });

  it('gets the same replies however its bytes are cut', async () => {
    const lines = [
      'SET k v',
      'MULTI',
      'GET k',
      'INCR n',
      'EXEC',
      'HSET h f v',
      'HGETALL h',
      'NOSUCH',
    ];
    const bytes = Buffer.concat(lines.map((line) => encodeRequest(line.split(' '))));
    const start = async (): Promise<DirectLink> => {
      const link = new DirectLink(dispatcher);
      await link.ask(['FLUSHALL']);
      return link;
    };
    const whole = await (await start()).receive(bytes);
    expect(whole.toString()).toContain('+QUEUED');
    for (let at = 1; at < bytes.length; at++) {
      const link = await start();
      const parts = [
        await link.receive(bytes.subarray(0, at)),
        await link.receive(bytes.subarray(at)),
      ];
      expect(Buffer.concat(parts).toString(), `cut at ${at}`).toBe(whole.toString());
    }
  });

  it('that names a command in an argument of gigantic length is quoted in part', async () => {
    const link = new DirectLink(dispatcher);
    const huge = 'x'.repeat(1_000_000);
    for (const args of [
      [huge],
      ['NOSUCH', huge, huge],
      ['CLIENT', huge],
      ['EXPIRE', 'k', '1', huge],
      ['HELLO', '3', huge],
      ['CLIENT', 'LIST', 'TYPE', huge],
      ['CLIENT', 'SETINFO', huge, 'x'],
      ['CONFIG', 'SET', huge, 'x'],
    ]) {
      expect((await link.ask(args)).bytes.length, args[0].slice(0, 20)).toBeLessThan(1_000);
    }
  });
});
