/** The Commandstats and Errorstats sections of INFO. */
import type { Environment } from '../dispatch/call.js';
import type { InfoFields } from '../host.js';
import type { Command } from '../table/row.js';

/** Calls, refusals before running and error replies of each command that was used. */
export function commandStatistics({ table, counters, observations }: Environment): InfoFields {
  const fields: Record<string, string> = {};
  const add = (command: Command): void => {
    const calls = counters.calls[command.index];
    const rejected = counters.rejected[command.index];
    const failed = counters.failed[command.index];
    if (calls > 0 || rejected > 0) {
      const us = Math.floor(observations.elapsedUs[command.index]);
      const perCall = (calls === 0 ? 0 : us / calls).toFixed(2);
      fields[`cmdstat_${command.fullName}`] =
        `calls=${calls},usec=${us},usec_per_call=${perCall},rejected_calls=${rejected},failed_calls=${failed}`;
    }
    for (const sub of command.subcommands) add(sub);
  };
  for (const command of table.commands) add(command);
  return fields;
}

export function errorStatistics({ counters }: Environment): InfoFields {
  const fields: Record<string, string> = {};
  for (const [code, count] of counters.errors) fields[`errorstat_${code}`] = `count=${count}`;
  return fields;
}
