/** The reply to `<CONTAINER> HELP`. */
import type { Call } from '../dispatch/call.js';

const OWN_LINES = ['HELP', '    Prints this help.'];

export function replyHelp(call: Call, container: string, lines: readonly string[]) {
  const all = [
    `${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...lines,
    ...OWN_LINES,
  ];
  call.reply.array(all.length);
  for (const line of all) call.reply.simple(line);
}
