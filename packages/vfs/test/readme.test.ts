import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test("the README's example runs as it stands", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const built = (entry: string): string => new URL(`../dist/${entry}`, import.meta.url).href;
  const dir = mkdtempSync(join(tmpdir(), 'nendb-readme-'));
  const program = example
    .replaceAll('/tmp/', `${dir}/`)
    .replace("'@nendb/vfs'", `'${built('index.js')}'`)
    .replace("'@nendb/vfs/sim'", `'${built('sim/index.js')}'`);
  try {
    writeFileSync(join(dir, 'example.mjs'), program);
    const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'example.mjs')]);
    expect(stdout).toMatch(/^\d+ crash images, nothing lost\n$/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
