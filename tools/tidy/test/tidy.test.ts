import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CHECKS, formatViolation, mask, readTree } from '../src/index.js';

describe('the house', () => {
  const tree = readTree(fileURLToPath(new URL('../../../', import.meta.url)));

  it('is read whole', () => {
    expect(tree.has('package.json')).toBe(true);
    expect(tree.has('packages/codec/src/index.ts')).toBe(true);
    expect([...tree.keys()].some((path) => /node_modules|\/dist\//.test(path))).toBe(false);
  });

  it('is understood: what is left of every module without strings is balanced', () => {
    const unbalanced: string[] = [];
    for (const [path, source] of tree) {
      if (!/\.(?:ts|mjs|js)$/.test(path)) continue;
      const { code } = mask(source);
      for (const pair of ['{}', '()', '[]']) {
        const [opened, closed] = [...pair].map((char) => code.split(char).length - 1);
        if (opened !== closed)
          unbalanced.push(`${path}: ${opened} ${pair[0]}, ${closed} ${pair[1]}`);
      }
    }
    expect(unbalanced).toEqual([]);
  });

  it.each(CHECKS)('keeps its own rules: $name', (check) => {
    expect(check.run(tree).map(formatViolation)).toEqual([]);
  });
});
