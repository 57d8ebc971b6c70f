import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configHelp } from '../src/config.js';
import * as server from '../src/index.js';
import { temporaryDirectory } from './test-server.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('has an example that runs and prints what it should', async () => {
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const body = example
      .replace(/import (\{.*?\}) from '@nendb\/server';/, 'const $1 = module;')
      .replace("'./data'", JSON.stringify(join(temporaryDirectory(), 'data')));
    const printed: unknown[] = [];
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
      ...parts: string[]
    ) => (...args: unknown[]) => Promise<void>;
    await new AsyncFunction('module', 'console', body)(server, {
      log: (value: unknown) => printed.push(value),
    });
    expect(printed).toEqual([expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/), 0]);
  });

  it('tells every option, and none that does not exist', () => {
    const flagsOf = (text: string, pattern: RegExp) =>
      [...text.matchAll(pattern)].map(([, flag]) => flag).sort();
    const documented = flagsOf(readme, /^\| `(--[a-z-]+)` +\|/gm);
    const existing = flagsOf(configHelp(), /^ {2}(--[a-z-]+) [A-Za-z|]+ {2}/gm);
    expect(documented).toEqual(existing);
    expect(existing.length).toBeGreaterThan(15);
  });
});
