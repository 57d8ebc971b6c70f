/** Help: on stdout, exit 0, for everything, within one screen. */
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../src/commands/table.js';
import { makeDatabase } from './support/database.js';
import { nen } from './support/terminal.js';

/** The terminal that people still get by default. */
const SCREEN = { lines: 24, columns: 80 };

function expectOneScreen(text: string): void {
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(SCREEN.lines);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(SCREEN.columns);
}

describe('help', () => {
  test.each([[['--help']], [['-h']], [['help']]])('%j lists every command', async (argv) => {
    const { code, stdout, stderr } = await nen(argv);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const spec of COMMANDS) expect(stdout).toContain(`  ${spec.name} `);
    expectOneScreen(stdout);
  });

  test.each(COMMANDS.map((spec) => [spec.name]))('%s --help', async (name) => {
    const { code, stdout } = await nen([...name.split(' '), '--help']);
    expect(code).toBe(0);
    const spec = COMMANDS.find((each) => each.name === name);
    expect(stdout).toContain(`nen ${name}: ${spec?.summary}`);
    for (const option of spec?.options ?? []) expect(stdout).toContain(`--${option.name}`);
    expectOneScreen(stdout);
    expect((await nen(['help', ...name.split(' ')])).stdout).toBe(stdout);
  });

  test('a group lists its members', async () => {
    const { code, stdout } = await nen(['snapshot', '--help']);
    expect(code).toBe(0);
    for (const member of ['create', 'list', 'inspect', 'verify']) {
      expect(stdout).toContain(`snapshot ${member}`);
    }
    expectOneScreen(stdout);
  });

  test('with exec, --help behind the command belongs to the command', async () => {
    const { stdout } = await nen(['exec', '--help', 'GET']);
    expect(stdout).toContain('nen exec: run one Redis command');
  });
});

describe('serve', () => {
  test('hands its flags over untouched and returns the exit code', async () => {
    const seen: (readonly string[])[] = [];
    const serve = async (args: readonly string[]) => {
      seen.push(args);
      return 5;
    };
    const { code, stdout } = await nen(['serve', '--port', '0', '--help', '--unknown'], { serve });
    expect(code).toBe(5);
    expect(stdout).toBe('');
    expect(seen).toEqual([['--port', '0', '--help', '--unknown']]);
  });

  test('without a server attached it says so', async () => {
    const { code, stderr } = await nen(['serve']);
    expect(code).toBe(1);
    expect(stderr).toContain('expected a program with a server attached');
  });
});

describe('version', () => {
  test.each([[['--version']], [['-V']]])('%j is nen version, --json included', async (argv) => {
    const plain = await nen(['version']);
    expect(await nen(argv)).toEqual(plain);
    const json = await nen(['version', '--json']);
    expect(await nen([...argv, '--json'])).toEqual(json);
    expect(await nen(['--json', ...argv])).toEqual(json);
  });

  test('a command beside --version is refused, not left out', async () => {
    const { code, stdout, stderr } = await nen(['--version', 'status']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('expected no arguments after "nen version", got "status"');
  });

  test('behind exec, -V and --version belong to the command', async () => {
    const dir = await makeDatabase(async () => {});
    for (const word of ['-V', '--version']) {
      const argv = ['exec', '--dir', dir, 'ECHO', word];
      expect((await nen(argv)).stdout).toBe(`${word}\n`);
    }
  });

  test('prints one line, or a document with --json', async () => {
    expect((await nen(['version'])).stdout).toMatch(/^nen \d+\.\d+\.\d+ \(node \d+\./);
    const { code, stdout } = await nen(['version', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schema_version: 1,
      nendb: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    });
  });
});
