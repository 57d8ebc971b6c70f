import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isBuilt, PMEM_URL } from './built.js';

test.skipIf(!isBuilt)("the README's example runs as it stands", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const dir = mkdtempSync(join(tmpdir(), 'nendb-readme-'));
  try {
    const program = join(dir, 'example.mjs');
    writeFileSync(program, example.replace("'@nendb/pmem'", `'${PMEM_URL}'`));
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    expect(stdout).toBe('hello\n0 freed under the guard\n1 freed behind it\ntrue 1 block left\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
