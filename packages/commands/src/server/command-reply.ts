/**
 * How COMMAND INFO and COMMAND DOCS describe a row.
 *
 *     INFO: name, arity, {flags}, first key, last key, step, {categories}, {tips}, {key specs}, [subcommands]
 *     DOCS: name => {summary, since, group, complexity, doc_flags?, deprecated_since?, replaced_by?,
 *                    arguments?, subcommands?}
 *
 * Source: https://redis.io/commands/command and https://redis.io/commands/command-docs
 */
import type { ReplyWriter } from '@nendb/resp';
import type { Command, KeySpec } from '../table/row.js';
import { type Argument, parseSyntax } from '../table/syntax.js';

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
  const parts = keySpecsOf(command);
  reply.set(parts.length);
  for (const part of parts) replyKeySpec(reply, part);
}

/** The parts of a command's key range; none where it has no keys. */
export function keySpecsOf({ spec }: Command): readonly KeySpec[] {
  return spec.keys === undefined ? [] : (spec.keys.parts ?? [spec.keys]);
}

function replyKeySpec(reply: ReplyWriter, range: KeySpec): void {
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
  const { deprecated } = spec;
  const syntax = parseSyntax(spec.syntax ?? '');
  reply.text(command.fullName);
  reply.map(
    4 +
      (deprecated === undefined ? 0 : 3) +
      (spec.system ? 1 : 0) +
      (syntax.length > 0 ? 1 : 0) +
      (subcommands.length > 0 ? 1 : 0),
  );
  reply.text('summary');
  reply.text(spec.summary);
  reply.text('since');
  reply.text(spec.since);
  reply.text('group');
  reply.text(spec.group);
  reply.text('complexity');
  reply.text(spec.complexity);
  if (spec.system) {
    reply.text('doc_flags');
    replySet(reply, ['syscmd']);
  }
  if (deprecated !== undefined) {
    reply.text('doc_flags');
    replySet(reply, ['deprecated']);
    reply.text('deprecated_since');
    reply.text(deprecated.since);
    reply.text('replaced_by');
    reply.text(deprecated.replacedBy);
  }
  if (syntax.length > 0) {
    reply.text('arguments');
    replyArguments(reply, syntax, { next: 0, last: keySpecsOf(command).length - 1 });
  }
  if (subcommands.length === 0) return;
  reply.text('subcommands');
  reply.map(subcommands.length);
  for (const sub of subcommands) replyDocs(reply, sub);
}

/** A key says which of the command's key specs it belongs to. */
interface KeySpecCount {
  next: number;
  last: number;
}

function replyArguments(
  reply: ReplyWriter,
  items: readonly Argument[],
  keySpec: KeySpecCount,
): void {
  reply.array(items.length);
  for (const item of items) replyArgument(reply, item, keySpec);
}

function replyArgument(reply: ReplyWriter, item: Argument, keySpec: KeySpecCount): void {
  const flags: string[] = [];
  if (item.optional) flags.push('optional');
  if (item.multiple) flags.push('multiple');
  if (item.multipleToken) flags.push('multiple_token');
  const isKey = item.type === 'key';
  reply.map(
    2 +
      Number(isKey) +
      Number(item.token !== undefined) +
      Number(flags.length > 0) +
      Number(item.parts.length > 0),
  );
  reply.text('name');
  reply.text(item.name);
  reply.text('type');
  reply.text(item.type);
  if (isKey) {
    reply.text('key_spec_index');
    reply.integer(Math.min(keySpec.next++, keySpec.last));
  }
  if (item.token !== undefined) {
    reply.text('token');
    reply.text(item.token);
  }
  if (flags.length > 0) {
    reply.text('flags');
    replySet(reply, flags);
  }
  if (item.parts.length === 0) return;
  reply.text('arguments');
  replyArguments(reply, item.parts, keySpec);
}
