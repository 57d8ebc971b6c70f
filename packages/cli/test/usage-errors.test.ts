/** What `nen` says to a command line that it does not understand. */
import { describe, expect, test } from 'vitest';
import { nen } from './support/terminal.js';

describe('usage errors: exit 2, nothing on stdout, what was expected and what to do on stderr', () => {
  const cases: [argv: string[], message: RegExp, hint: RegExp][] = [
    [[], /expected a command, got none/, /nen --help/],
    [['statsu'], /expected a command of nen, got "statsu"/, /did you mean "nen status"\?/],
    [['snapshot'], /expected one of create, list, inspect, verify/, /nen snapshot --help/],
    [['snapshot', 'crate'], /got "snapshot crate"/, /did you mean "nen snapshot create"\?/],
    [['snapshot', '--json'], /got --json/, /nen snapshot --help/],
    [['frobnicate'], /got "frobnicate"/, /nen --help/],
    [['status', '--jsno'], /expected a known flag, got --jsno/, /did you mean --json\?/],
    [['status', '-x'], /expected a known flag, got -x/, /--help/],
    [['status', '--dir'], /expected a value after --dir, got nothing/, /write --dir DIR/],
    [['status', '--dir', '--json'], /got the flag --json/, /--dir=DIR/],
    [['status', '--json=yes'], /expected no value for --json, got "yes"/, /write --json alone/],
    [['status', 'now'], /expected no arguments after "nen status", got "now"/, /--help/],
    [['status', '--dir='], /expected a value for --dir/, /--dir <value>/],
    [['exec'], /expected <command> \[argument…\]/, /nen exec --help/],
    [['exec', '--db', '16', 'PING'], /from 0 to 15 in --db, got "16"/, /database 0/],
    [['exec', '-n', 'x', 'PING'], /got "x"/, /database 0/],
    [['status', '--url', 'http://a:1'], /from --url, got http:\/\//, /redis:\/\/host:port/],
    [['status', '--url', 'nonsense'], /got something else/, /redis:\/\/host:port/],
    [['exec', '--url', 'redis://h/99', 'PING'], /got "99"/, /database 0/],
    [['snapshot', 'inspect', 'oldest'], /expected newest or bak, got "oldest"/, /snapshot list/],
  ];
  test.each(cases)('%j', async (argv, message, hint) => {
    const { code, stdout, stderr } = await nen(argv);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(hint);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('with --json the error is one document on stderr', async () => {
    const { code, stdout, stderr } = await nen(['--json', 'statsu']);
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'USAGE',
        message: 'expected a command of nen, got "statsu"',
        hint: 'did you mean "nen status"?',
      },
    });
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('an address that holds a password is not repeated', async () => {
    const { stderr } = await nen(['status', '--url', 'rediss://:sesame@host:1']);
    expect(stderr).toContain('got rediss://');
    expect(stderr).not.toContain('sesame');
  });
});
