import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as oracle from '../src/index.js';

it("the README's example runs as it stands and refuses the write skew", () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const body = example.replace(
    /import (\{.*?\}) from '@nendb\/txn-oracle';/,
    'const $1 = modules;',
  );
  const printed: unknown[][] = [];
  new Function('modules', 'console', body)(oracle, {
    log: (...values: unknown[]) => printed.push(values),
  });
  expect(printed).toEqual([['refused', 100, -50]]);
});
