import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as engine from '@nendb/engine';
import { describe, expect, it } from 'vitest';
import * as commands from '../src/index.js';
import { commandTable } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('has an example that runs and prints what it should', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-readme-'));
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const body = example
      .replaceAll(/import (\{.*?\}) from '(.*?)';/g, "const $1 = modules['$2'];")
      .replace("'./data'", JSON.stringify(dir));
    const printed: unknown[][] = [];
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
      ...parts: string[]
    ) => (...args: unknown[]) => Promise<void>;
    await new AsyncFunction('modules', 'console', body)(
      { '@nendb/commands': commands, '@nendb/engine': engine },
      { log: (...values: unknown[]) => printed.push(values) },
    );
    expect(printed).toEqual([
      ['hello', 60],
      [42],
      [[1, 12]],
      ['ERR', 'ERR value is not an integer or out of range'],
    ]);
    rmSync(dir, { recursive: true, force: true });
  });

  it('names every command of the table', () => {
    for (const command of commandTable.commands) {
      expect(readme).toMatch(new RegExp(`\\b${command.fullName.toUpperCase()}\\b`));
    }
  });
});
