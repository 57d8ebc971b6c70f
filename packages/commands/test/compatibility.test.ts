/** `docs/redis-compatibility.md` against the table, and against a redis-server where there is one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Command, commandTable } from '../src/index.js';
import { RedisPeer, redisInstalled } from './harness/redis.js';

const page = readFileSync(new URL('../../../docs/redis-compatibility.md', import.meta.url), 'utf8');

/** Names as the table has them (`client|kill`), with their states. */
const states = new Map(
  [...page.matchAll(/^\| ([A-Z][A-Z0-9_ -]*) \| (done|later|refused) \|/gm)].map(
    ([, name, state]) => [name.toLowerCase().replace(' ', '|'), state],
  ),
);

/** Not of Redis. */
const OWN = /^nendb/;

const named = (command: Command): boolean =>
  command.handler !== undefined && !OWN.test(command.fullName);

describe('the page of Redis commands', () => {
  it('has every command of the table as done, or as refused on purpose', () => {
    const missing = commandTable.byIndex
      .filter(named)
      .filter(({ fullName }) => !['done', 'refused'].includes(states.get(fullName) ?? ''))
      .map(({ fullName }) => fullName);
    expect(missing).toEqual([]);
  });

  it('calls done only what the table has', () => {
    const done = [...states].filter(([, state]) => state === 'done').map(([name]) => name);
    expect(done.length).toBeGreaterThan(100);
    const known = new Set(commandTable.byIndex.filter(named).map(({ fullName }) => fullName));
    expect(done.filter((name) => !known.has(name))).toEqual([]);
  });

  it('calls nothing later that the table has', () => {
    const later = [...states].filter(([, state]) => state === 'later').map(([name]) => name);
    expect(later.filter((name) => commandTable.byFullName(name) !== undefined)).toEqual([]);
  });

  it.skipIf(!redisInstalled)('names every command of the installed redis-server', async () => {
    const redis = await RedisPeer.start();
    onTestFinished(() => redis.stop());
    const link = await redis.connect();
    const { value } = await link.ask(['COMMAND', 'LIST']);
    link.close();
    const names = (value as Buffer[]).map(String);
    expect(names.length).toBeGreaterThan(200);
    const containers = new Set(
      names.filter((name) => name.includes('|')).map((name) => name.split('|')[0]),
    );
    const missing = names.filter((name) => !states.has(name) && !containers.has(name));
    expect(missing).toEqual([]);
  });
});
