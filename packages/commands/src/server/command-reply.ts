/**
 * How COMMAND INFO and COMMAND DOCS describe a row.
 *
 *     INFO: name, arity, {flags}, first key, last key, step, {categories}, {tips}, {key specs}, [subcommands]
 *     DOCS: name => {summary, since, group, complexity, subcommands?}
 *
 * Source: https://redis.io/commands/command and https://redis.io/commands/command-docs
 */
import type { ReplyWriter } from '@nendb/resp';
import type { Command } from '../table/row.js';

const INFO_FIELDS = 10;

export function replyInfo(reply: ReplyWriter, command: Command): void {
  const { spec } = command;
  reply.array(INFO_FIELDS);
  reply.text(command.fullName);
  reply.integer(command.arity);
  replySet(reply, spec.flags);
  reply.integer(command.firstKey);
  reply.integer(command.lastKey);
  reply.integer(command.keyStep);
  replySet(reply, categoriesOf(command));
  reply.set(spec.tips?.length ?? 0);
  for (const tip of spec.tips ?? []) reply.text(tip);
  replyKeySpecs(reply, command);
  // Redis sends an empty set here, and an array where there are some.
  if (command.subcommands.length === 0) reply.set(0);
  else reply.array(command.subcommands.length);
  for (const sub of command.subcommands) replyInfo(reply, sub);
}

/** ACL categories: those of the row and those that its flags imply. */
export function categoriesOf(command: Command): string[] {
  const { flags, categories = [] } = command.spec;
  const all = new Set<string>();
  for (const category of categories) all.add(`@${category}`);
  if (flags.includes('write')) all.add('@write');
  if (flags.includes('readonly')) all.add('@read');
  if (flags.includes('admin')) all.add('@admin').add('@dangerous');
  all.add(flags.includes('fast') ? '@fast' : '@slow');
  return [...all];
}

function replySet(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const text of words) reply.simple(text);
}

function replyKeySpecs(reply: ReplyWriter, command: Command): void {
  const range = command.spec.keys;
  if (range === undefined) {
    reply.set(0);
    return;
  }
  reply.set(1);
  reply.map(3);
  reply.text('flags');
  replySet(reply, range.access.split(' '));
  reply.text('begin_search');
  reply.map(2);
  reply.text('type');
  reply.text('index');
  reply.text('spec');
  reply.map(1);
  reply.text('index');
  reply.integer(range.first);
  reply.text('find_keys');
  reply.map(2);
  reply.text('type');
  reply.text('range');
  reply.text('spec');
  reply.map(3);
  reply.text('lastkey');
  reply.integer(range.last < 0 ? range.last : range.last - range.first);
  reply.text('keystep');
  reply.integer(range.step);
  reply.text('limit');
  reply.integer(0);
}

/** A pair of a map: the name and what is known of it. */
export function replyDocs(reply: ReplyWriter, command: Command): void {
  const { spec, subcommands } = command;
  reply.text(command.fullName);
  reply.map(subcommands.length > 0 ? 5 : 4);
  reply.text('summary');
  reply.text(spec.summary);
  reply.text('since');
  reply.text(spec.since);
  reply.text('group');
  reply.text(spec.group);
  reply.text('complexity');
  reply.text(spec.complexity);
  if (subcommands.length === 0) return;
  reply.text('subcommands');
  reply.map(subcommands.length);
  for (const sub of subcommands) replyDocs(reply, sub);
}
