import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { dashUrl, isBuilt, PMEM_URL } from './built.js';

it.skipIf(!isBuilt)("the README's example runs as it stands", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const dir = mkdtempSync(join(tmpdir(), 'nendb-readme-'));
  try {
    const program = join(dir, 'example.mjs');
    const text = example
      .replace("'@nendb/dash-hash'", `'${dashUrl('index.js')}'`)
      .replace("'@nendb/pmem'", `'${PMEM_URL}'`);
    writeFileSync(program, text);
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    expect(stdout).toBe('Lisbon\nLisbon until 1900000000000\nimaged 6 bytes\n1 true\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
