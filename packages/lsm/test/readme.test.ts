import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test("the README's example runs as it stands", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const dir = mkdtempSync(join(tmpdir(), 'nendb-readme-'));
  const program = example
    .replaceAll('/tmp/', `${dir}/`)
    .replace("'@nendb/lsm'", `'${new URL('../dist/index.js', import.meta.url).href}'`);
  try {
    writeFileSync(join(dir, 'example.mjs'), program);
    const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'example.mjs')]);
    expect(stdout).toBe('Ada\nuser:1 Ada\nuser:2 Bob\nAda Lovelace\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
