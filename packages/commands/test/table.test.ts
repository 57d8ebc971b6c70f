import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Command, CommandTable, commandTable, NENDB_VERSION } from '../src/index.js';

const everyCommand = (): Command[] =>
  commandTable.commands.flatMap((command) => [command, ...command.subcommands]);

describe('the command table', () => {
  it('finds a command whatever its case, by bytes inside a larger buffer', () => {
    const bytes = Buffer.from('..GeT..');
    expect(commandTable.find(bytes, 2, 5)?.fullName).toBe('get');
    expect(commandTable.find(bytes, 2, 4)).toBeUndefined();
    expect(commandTable.byFullName('CLIENT|SetName')?.fullName).toBe('client|setname');
    expect(commandTable.byFullName('client|nothing')).toBeUndefined();
  });

  it('folds letters only: other bytes that differ by 0x20 are other names', () => {
    const table = new CommandTable([
      {
        name: 'a[',
        arity: 1,
        flags: [],
        group: 'server',
        since: '1.0.0',
        summary: 'A name with a byte beside the letters',
        complexity: 'O(1)',
        handler: (call) => call.ok(),
      },
    ]);
    expect(table.byFullName('A[')?.fullName).toBe('a[');
    expect(table.byFullName('a{')).toBeUndefined();
  });

  it('refuses two rows of one name', () => {
    const [row] = commandTable.commands;
    expect(() => new CommandTable([row.spec, row.spec])).toThrow(/one row for each command/);
  });

  it('has consistent rows', () => {
    for (const command of everyCommand()) {
      const { spec } = command;
      expect(command.fullName, 'lower case').toBe(command.fullName.toLowerCase());
      expect(spec.arity, command.fullName).not.toBe(0);
      expect(spec.flags.includes('write') && spec.flags.includes('readonly')).toBe(false);
      // WATCH looks at its keys between transactions.
      const looksAtKeys = command.usesData || spec.name === 'watch';
      if (spec.keys) expect(looksAtKeys, `${command.fullName} has keys`).toBe(true);
      if (spec.subcommands === undefined) expect(spec.handler).toBeDefined();
      expect(spec.summary.length).toBeGreaterThan(5);
    }
    const indexes = everyCommand().map((command) => command.index);
    expect(new Set(indexes).size).toBe(commandTable.size);
  });

  it('says the version of its package', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(NENDB_VERSION).toBe(manifest.version);
  });
});
