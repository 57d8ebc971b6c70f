import { describe, expect, it } from 'vitest';
import { CHECKS, formatViolation, LAYERS, mask, type Tree } from '../src/index.js';

/** Runs one check on a tree that is written down here. */
function find(check: string, files: Record<string, string>): string[] {
  const tree: Tree = new Map(Object.entries(files));
  const found = CHECKS.find(({ name }) => name === check);
  if (found === undefined) throw new Error(`expected a check called ${check}`);
  return found.run(tree).map(formatViolation);
}

function manifest(name: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ name, exports: { '.': { '@nendb/source': './src/index.ts' } }, ...more });
}

const codec = {
  'packages/codec/package.json': manifest('@nendb/codec'),
  'packages/codec/src/index.ts': 'export const a = 1;\n',
};

describe('layering', () => {
  it('has a table in which nobody knows a higher floor', () => {
    for (const [dir, { floor, mayKnow }] of Object.entries(LAYERS)) {
      for (const name of mayKnow) {
        const known = LAYERS[`packages/${name}`] ?? LAYERS[`apps/${name}`];
        expect(known, `${dir} knows ${name}`).toBeDefined();
        expect(known.floor, `${dir} knows ${name}`).toBeLessThanOrEqual(floor);
      }
    }
  });

  it('takes what the table allows', () => {
    expect(
      find('layering', {
        ...codec,
        'packages/snapshot/package.json': manifest('@nendb/snapshot', {
          dependencies: { '@nendb/codec': 'workspace:^' },
        }),
        'packages/snapshot/src/index.ts': `import { a } from '@nendb/codec';\nimport './b.js';\n`,
      }),
    ).toEqual([]);
  });

  it('minds a dependency and an import that point upward', () => {
    const found = find('layering', {
      ...codec,
      'packages/codec/package.json': manifest('@nendb/codec', {
        dependencies: { '@nendb/engine': 'workspace:^' },
      }),
      'packages/codec/src/index.ts': `\nimport type { Engine } from '@nendb/engine';\n`,
    });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^packages\/codec\/package.json: .*got @nendb\/engine/);
    expect(found[1]).toMatch(/^packages\/codec\/src\/index.ts:2: /);
  });

  it('minds what is imported without being declared, ours or not', () => {
    const found = find('layering', {
      ...codec,
      'packages/wal/package.json': manifest('@nendb/wal'),
      'packages/wal/src/index.ts': `export * from '@nendb/codec';\nconst z = await import('zod/mini');\n`,
    });
    expect(found).toHaveLength(2);
    expect(found.join()).toContain('expected @nendb/codec among the dependencies');
    expect(found.join()).toContain('expected zod among the dependencies');
  });

  it('minds a reach into another package: by path, by name, from a test', () => {
    const found = find('layering', {
      ...codec,
      'packages/wal/package.json': manifest('@nendb/wal', {
        dependencies: { '@nendb/codec': 'workspace:^' },
      }),
      'packages/wal/src/index.ts': `import '../../codec/src/index.js';\nimport '@nendb/codec/src/a.js';\n`,
      'packages/wal/test/a.test.ts': `import { a } from '../../codec/src/index.js';\nimport '../src/index.js';\n`,
    });
    expect(found.map((each) => each.split(': ')[0])).toEqual([
      'packages/wal/src/index.ts:1',
      'packages/wal/src/index.ts:2',
      'packages/wal/test/a.test.ts:1',
    ]);
  });

  it('minds a package that has no place in the table', () => {
    const found = find('layering', { 'packages/misc/package.json': manifest('@nendb/misc') });
    expect(found).toEqual([
      'packages/misc/package.json: [layering] expected a place in the table of layers, got none: give packages/misc one in layers.ts',
    ]);
  });
});

describe('banned-calls', () => {
  const judge = (source: string, path = 'packages/codec/src/x.ts') => {
    const dir = path.split('/').slice(0, 2).join('/');
    return find('banned-calls', { [`${dir}/package.json`]: manifest('@nendb/x'), [path]: source });
  };

  it.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const now = performance.now();',
    'const now = process.hrtime.bigint();',
    'const random = Math.random();',
    `import { randomBytes } from 'node:crypto';`,
    'setTimeout(run, 10);',
    'setImmediate(run);',
    `import fs from 'node:fs';`,
    `const fs = await import('fs/promises');`,
    `export * from "node:timers/promises";`,
    `import { spawn } from 'node:child_process';`,
    'const worker = new Worker(url);',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression inside a template is code
    'const text = `at ${Date.now()}`;',
  ])('minds %s', (source) => {
    const found = judge(`// one\n${source}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^packages\/codec\/src\/x.ts:2: \[banned-calls\] expected (?:the V|v)fs/,
    );
  });

  it.each([
    '// Date.now() is banned',
    '/* setTimeout(run, 10) */',
    `const text = 'Math.random()';`,
    'const text = `Date.now()`;',
    'const pattern = /Date.now/;',
    'const date = new Date(ms);',
    'this.timers.setTimeout(run);',
    `import { createHash } from 'node:crypto';`,
  ])('lets %s pass', (source) => {
    expect(judge(source)).toEqual([]);
  });

  it('lets the real adapters do their work', () => {
    expect(judge(`import fs from 'node:fs';`, 'packages/vfs/src/node/a.ts')).toEqual([]);
    expect(judge(`import fs from 'node:fs';`, 'packages/vfs/src/sim/a.ts')).toHaveLength(1);
    expect(judge('setTimeout(run, 10);', 'apps/server/src/a.ts')).toEqual([]);
    expect(judge('const random = Math.random();', 'packages/cli/src/a.ts')).toHaveLength(1);
  });
});

describe('readmes', () => {
  it('minds a missing one, another heading, a package without an example', () => {
    const judge = (readme: Record<string, string>, dir = 'packages/codec') =>
      find('readmes', { [`${dir}/package.json`]: manifest('@nendb/codec'), ...readme });
    expect(judge({})[0]).toContain('expected a README for @nendb/codec');
    expect(judge({ 'packages/codec/README.md': '# codec\n' })[0]).toContain('expected the heading');
    expect(judge({ 'packages/codec/README.md': '# @nendb/codec\n' })[0]).toContain('an example');
    const good = '# @nendb/codec\n\n```ts\ncode();\n```\n';
    expect(judge({ 'packages/codec/README.md': good })).toEqual([]);
    expect(judge({ 'tools/x/README.md': '# @nendb/codec\n' }, 'tools/x')).toEqual([]);
    expect(judge({ 'tools/x/README.md': '# tools/x\n' }, 'tools/x')).toEqual([]);
    expect(judge({ 'tools/x/README.md': '# x\n' }, 'tools/x')).toHaveLength(1);
  });
});

describe('dead-files', () => {
  it('follows exports, bins, scripts, imports and modules started by URL', () => {
    expect(
      find('dead-files', {
        'package.json': '{"scripts":{"start":"exec node apps/server/dist/main.js"}}',
        'packages/wal/package.json': manifest('@nendb/wal', {
          exports: {
            '.': { '@nendb/source': './src/index.ts' },
            './sim': { '@nendb/source': './src/sim/index.ts' },
          },
        }),
        'packages/wal/src/index.ts': `export * from './a.js';\nimport type { B } from './b.js';\n`,
        'packages/wal/src/a.ts': `start(new URL('./task.js', import.meta.url));\n`,
        'packages/wal/src/b.ts': `const lazy = () => import('./lazy.js');\n`,
        'packages/wal/src/task.ts': '',
        'packages/wal/src/lazy.ts': '',
        'packages/wal/src/sim/index.ts': '',
        'apps/server/package.json': manifest('@nendb/server', { bin: { s: './bin/s.js' } }),
        'apps/server/bin/s.js': `import '../dist/bin-main.js';\n`,
        'apps/server/src/index.ts': '',
        'apps/server/src/bin-main.ts': '',
        'apps/server/src/main.ts': '',
        'tools/x/package.json': '{"name":"@nendb/x"}',
        'tools/x/src/main.ts': '',
        'tools/x/src/count.ts': '',
        '.ci/run': 'node tools/x/dist/count.js report.json\n',
      }),
    ).toEqual([]);
  });

  it('minds what nothing leads to, a ring of dead files and a test-only file included', () => {
    const found = find('dead-files', {
      ...codec,
      'packages/codec/src/a.ts': `import './b.js';\n`,
      'packages/codec/src/b.ts': `import './a.js';\n`,
      'packages/codec/src/c.ts': '',
      'packages/codec/src/index.ts': `// import './c.js';\n`,
      'packages/codec/test/a.test.ts': `import '../src/c.js';\n`,
    });
    expect(found.map((each) => each.split(':')[0])).toEqual([
      'packages/codec/src/a.ts',
      'packages/codec/src/b.ts',
      'packages/codec/src/c.ts',
    ]);
  });
});

describe('file-length', () => {
  it('minds the line after the last one allowed', () => {
    expect(find('file-length', { 'packages/a/src/a.ts': 'x\n'.repeat(450) })).toEqual([]);
    expect(find('file-length', { 'packages/a/test/a.test.ts': 'x\n'.repeat(451) })[0]).toContain(
      'expected at most 450 lines, got 451',
    );
  });
});

describe('words', () => {
  it.each([
    '// TODO: later',
    '// FIXME',
    '/** A placeholder. */',
    '// good enough for now',
    `throw new Error('not implemented');`,
    '// @ts-ignore',
    `it.only('works', run);`,
    'const value: any = 1;',
    'const value = other as any;',
    'const values: Array<any> = [];',
    'function f(value: any) {}',
  ])('minds %s', (text) => {
    expect(find('words', { 'packages/a/src/a.ts': `\n${text}\n` })).toHaveLength(1);
  });

  it.each(['// not for nowhere', 'const todo = 1;', '// many: any of them', 'as anything'])(
    'lets %s pass',
    (text) => {
      expect(find('words', { 'packages/a/src/a.ts': text })).toEqual([]);
    },
  );
});

describe('rules', () => {
  const all = Array.from({ length: 15 }, (_, i) => `it('R${i + 1}: holds', run);`).join('\n');

  it('finds rules in titles of every form', () => {
    expect(find('rules', { 'packages/a/test/a.test.ts': all })).toEqual([]);
    const forms = all
      .replace(`it('R1: holds'`, 'it.each(seeds)(`any state (R1)`')
      .replace(`it('R2: holds'`, `describe.skipIf(missing)("R2 and R3"`)
      .replace(`it('R3: holds'`, `it('nothing'`);
    expect(find('rules', { 'packages/a/test/a.test.ts': forms })).toEqual([]);
  });

  it('minds a rule that is named outside of titles only', () => {
    const found = find('rules', {
      'packages/a/test/a.test.ts': all.replace(`it('R7: holds'`, `// it('R7')\nit('R77', 'R7'`),
      'packages/a/src/a.ts': `it('R7');`,
    });
    expect(found).toEqual([
      'packages: [rules] expected a test with R7 (admit, then commit) in its title, got none: write it',
    ]);
  });
});

describe('mask', () => {
  it('keeps every offset and blanks strings, templates, patterns and comments', () => {
    const open = '$' + '{';
    const source = `a('x//y'); /* b */ c = \`d ${open}e({ f: \`g\` })} h\`; i = j / k; m(/n[/'] o/); // p`;
    const { code, text } = mask(source);
    expect(code).toBe(
      `a('    ');         c = \`  ${open}e({ f: \` \` })}  \`; i = j / k; m(/       /);     `,
    );
    expect(text).toBe(source.replace('/* b */', '       ').replace('// p', '    '));
  });

  it('survives what does not end', () => {
    const open = '$' + '{';
    for (const source of ['/* a', "'a", '`a', `\`${open}a`, '/a', "'\\", `\`${open}\`${open}`]) {
      expect(mask(source).code).toHaveLength(source.length);
    }
  });
});
