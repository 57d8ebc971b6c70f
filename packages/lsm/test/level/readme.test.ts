import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test("the README's example of Level runs as it stands", async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const section = readme.slice(readme.indexOf('## For programs written for Level'));
  const example = /```js\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const dir = mkdtempSync(join(tmpdir(), 'nendb-readme-'));
  const built = new URL('../../dist/level/index.js', import.meta.url).href;
  const program = example
    .replaceAll('/tmp/', `${dir}/`)
    .replace("'@nendb/lsm/level'", `'${built}'`);
  try {
    writeFileSync(join(dir, 'example.mjs'), program);
    const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'example.mjs')]);
    expect(stdout).toBe('ada 1815\n2\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
