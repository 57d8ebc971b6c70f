/**
 * INFO: sections of `name:value` lines. What the commands and the engine know is written here; the
 * host adds what it knows (sockets, memory, CPU) under the same section.
 *
 * Source of names: https://redis.io/commands/info, in the order of Redis 7.4.
 */
import type { Call, Environment } from '../dispatch/call.js';
import type { InfoFields } from '../host.js';
import { keyspace, memory, persistence, replication, server, statistics } from './info-sections.js';
import { commandStatistics, errorStatistics } from './info-statistics.js';

/** Writes the fields of one section. */
type Section = (environment: Environment) => InfoFields;

const NOTHING: Section = () => ({});

/** In the order in which INFO prints them. */
const SECTIONS: Readonly<Record<string, Section>> = {
  Server: server,
  Clients: NOTHING,
  Memory: memory,
  Persistence: persistence,
  Stats: statistics,
  Replication: replication,
  CPU: NOTHING,
  Modules: NOTHING,
  Commandstats: commandStatistics,
  Errorstats: errorStatistics,
  Cluster: () => ({ cluster_enabled: 0 }),
  Keyspace: keyspace,
};

/** Printed only when asked for by name, or with `all` and `everything`. */
const NOT_BY_DEFAULT = new Set(['commandstats']);

export function info(call: Call) {
  const wanted = new Set<string>();
  for (let i = 1; i < call.argc; i++) wanted.add(call.text(i).toLowerCase());
  const everything = wanted.has('all') || wanted.has('everything');
  const byDefault = wanted.size === 0 || wanted.has('default');
  let text = '';
  for (const [title, section] of Object.entries(SECTIONS)) {
    const name = title.toLowerCase();
    const asked = everything || wanted.has(name) || (byDefault && !NOT_BY_DEFAULT.has(name));
    if (!asked) continue;
    if (text !== '') text += '\r\n';
    text += sectionText(title, {
      ...section(call.environment),
      ...call.environment.host.info(name),
    });
  }
  call.reply.verbatim('txt', text);
}

function sectionText(title: string, fields: InfoFields): string {
  let text = `# ${title}\r\n`;
  for (const [name, value] of Object.entries(fields)) text += `${name}:${value}\r\n`;
  return text;
}
