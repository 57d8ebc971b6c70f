/**
 * Makes requests from the syntax of the command table: every option that a row names is tried, alone and
 * with others; a few requests are then damaged (a word too many, one too few, one replaced).
 *
 * What has come out least often so far is asked for most (`Coverage`), so that commands which fail
 * easily are tried until they have worked often enough.
 */
import { type Argument, type Command, commandTable, parseSyntax } from '@nendb/commands';
import { isApart } from './apart.js';
import type { Coverage } from './coverage.js';
import type { Random } from './random.js';
import type { DifferentialRequest, Word } from './request.js';
import { wordFor } from './words.js';

const OPTION_CHANCE = 0.25;
const REPEAT_CHANCE = 0.35;
const REPEATS_MAX = 4;
const DAMAGE_CHANCE = 0.03;
/** How often what lacks most is asked for, and among how many it is looked for. */
const AIM_CHANCE = 0.7;
const AIM_CANDIDATES = 24;
/** After so many answers nothing is asked for any more. */
const ANSWERED_ENOUGH = 300;

const EMPTIES = new Set(['flushall', 'flushdb', 'swapdb']);
const EMPTY_CHANCE = 0.1;

/** How soon a transaction ends, and how often it is run then. */
const END_CHANCE = 0.2;
const EXEC_CHANCE = 0.7;
const ENDS = new Set(['exec', 'discard']);
/** How often one is begun where an end was drawn. */
const BEGIN_CHANCE = 0.9;
const BEGIN: DifferentialRequest = {
  words: ['multi'],
  command: commandTable.byFullName('multi'),
  units: ['multi'],
};

const DAMAGE: readonly Word[] = [
  '',
  'x',
  '0',
  '-1',
  'NX',
  'GET',
  '9223372036854775807',
  's0',
  'h0',
];

export interface Shape {
  readonly command: Command;
  readonly syntax: readonly Argument[];
  readonly units: readonly string[];
}

/**
 * What there is to try: each command that both servers know, with all units of its syntax, but for
 * options that the other has not. `known` has its tokens by the command's full name.
 */
export function shapes(known: ReadonlyMap<string, ReadonlySet<string>>): Shape[] {
  return commandTable.byIndex
    .filter(({ handler, fullName }) => handler !== undefined && !isApart(fullName))
    .filter(({ fullName }) => known.has(fullName))
    .map((command) => {
      const tokens = known.get(command.fullName);
      const syntax = parseSyntax(command.spec.syntax ?? '').filter(
        ({ optional, token }) => !optional || token === undefined || tokens?.has(token),
      );
      return { command, syntax, units: [command.fullName, ...unitsOf(command.fullName, syntax)] };
    });
}

/** The paths of options, of alternatives and of what may be repeated. */
function unitsOf(path: string, items: readonly Argument[]): string[] {
  return items.flatMap((item) => {
    const own = unitOf(path, item);
    const units = item.optional || item.token !== undefined ? [own] : [];
    if (item.type === 'oneof') {
      return [...units, ...item.parts.flatMap((part) => alternativeUnits(own, part))];
    }
    return [...units, ...unitsOf(own, item.parts)];
  });
}

function alternativeUnits(path: string, part: Argument): string[] {
  const own = unitOf(path, part);
  return [own, ...unitsOf(own, part.parts).filter((unit) => unit !== own)];
}

function unitOf(path: string, item: Argument): string {
  return `${path} ${item.token ?? item.name}`;
}

export class Generator {
  readonly #shapes: readonly Shape[];
  readonly #random: Random;
  readonly #coverage: Coverage;
  #queueing = false;
  readonly #units: readonly { shape: Shape; unit: string }[];

  constructor(random: Random, coverage: Coverage, all: readonly Shape[]) {
    this.#random = random;
    this.#coverage = coverage;
    this.#shapes = all;
    this.#units = all.flatMap((shape) => shape.units.map((unit) => ({ shape, unit })));
  }

  next(): DifferentialRequest {
    const random = this.#random;
    const request = this.#queueing && random.chance(END_CHANCE) ? this.#end() : this.#any();
    if (request.command?.fullName === 'multi') this.#queueing = true;
    return request;
  }

  /** What ends a transaction, mostly by running it. */
  #end(): DifferentialRequest {
    this.#queueing = false;
    const name = this.#random.chance(EXEC_CHANCE) ? 'exec' : 'discard';
    return { words: [name], command: commandTable.byFullName(name), units: [name] };
  }

  #any(): DifferentialRequest {
    const random = this.#random;
    const needy = random.chance(AIM_CHANCE) ? this.#neediest() : undefined;
    const shape = needy?.shape ?? this.#drawn();
    const wanted = needy?.unit ?? '';
    if (ENDS.has(shape.command.fullName) && random.chance(BEGIN_CHANCE)) return BEGIN;
    const builder = new Builder(random, shape.command, wanted);
    builder.items(shape.command.fullName, shape.syntax);
    const [name, ...rest] = shape.command.fullName.split('|');
    const words: Word[] = [
      random.chance(0.5) ? name.toUpperCase() : name,
      ...rest,
      ...builder.words,
    ];
    if (random.chance(DAMAGE_CHANCE)) damage(random, words);
    return { words, command: shape.command, units: [shape.command.fullName, ...builder.units] };
  }

  /** Any; what empties whole databases seldom, or there would be nothing in them. */
  #drawn(): Shape {
    for (;;) {
      const shape = this.#random.pick(this.#shapes);
      if (!EMPTIES.has(shape.command.fullName) || this.#random.chance(EMPTY_CHANCE)) return shape;
    }
  }

  /** Of some units the one that was answered least often; none where all were often enough. */
  #neediest(): { shape: Shape; unit: string } | undefined {
    let best = this.#random.pick(this.#units);
    for (let i = 1; i < AIM_CANDIDATES; i++) {
      const other = this.#random.pick(this.#units);
      if (this.#coverage.count(other.unit) < this.#coverage.count(best.unit)) best = other;
    }
    return this.#coverage.count(best.unit) < ANSWERED_ENOUGH ? best : undefined;
  }
}

function damage(random: Random, words: Word[]) {
  const at = random.integer(1, words.length);
  switch (random.integer(0, 2)) {
    case 0:
      words.splice(at, 0, random.pick(DAMAGE));
      return;
    case 1:
      if (words.length > 1) words.splice(Math.min(at, words.length - 1), 1);
      return;
    default:
      words[Math.min(at, words.length - 1)] = random.pick(DAMAGE);
  }
}

class Builder {
  readonly words: Word[] = [];
  readonly units: string[] = [];

  constructor(
    readonly random: Random,
    readonly command: Command,
    /** The unit that has to be in it; empty for none. */
    readonly wanted: string,
  ) {}

  items(path: string, items: readonly Argument[]): void {
    for (const item of items) this.#item(path, item);
  }

  #item(path: string, item: Argument): void {
    const own = unitOf(path, item);
    if (item.optional && !this.#isWanted(own) && !this.random.chance(OPTION_CHANCE)) return;
    if (item.optional || item.token !== undefined) this.units.push(own);
    let times = 1;
    while (item.multiple && times < REPEATS_MAX && this.random.chance(REPEAT_CHANCE)) times++;
    for (let i = 0; i < times; i++) {
      if (item.token !== undefined && (i === 0 || item.multipleToken)) {
        this.words.push(this.random.chance(0.5) ? item.token : item.token.toLowerCase());
      }
      this.#element(own, item);
    }
  }

  #element(own: string, item: Argument): void {
    if (item.type === 'pure-token') return;
    if (item.type === 'block') {
      this.items(own, item.parts);
    } else if (item.type === 'oneof') {
      const wanted = item.parts.filter((part) => this.#isWanted(unitOf(own, part)));
      const part = this.random.pick(wanted.length > 0 ? wanted : item.parts);
      const unit = unitOf(own, part);
      if (!part.optional && part.token === undefined) this.units.push(unit);
      this.#item(own, { ...part, optional: false });
      if (part.optional && part.token === undefined) this.units.push(unit);
    } else {
      this.words.push(wordFor(this.random, this.command, item));
    }
  }

  #isWanted(unit: string): boolean {
    return this.wanted === unit || this.wanted.startsWith(`${unit} `);
  }
}
