/**
 * The command table: finds a command by the bytes of its name.
 *
 * Open addressing over a power of two of slots, at most half full, so that a look-up is one hash
 * and usually one comparison; no string is made. Subcommands are few and compared one by one.
 */
import { isWord, wordHash } from '../bytes/words.js';
import { Command, type CommandSpec } from './row.js';

export class CommandTable {
  /** All commands, without subcommands, in the order of the families. */
  readonly commands: readonly Command[];
  /** How many counters are needed: commands and subcommands. */
  readonly size: number;
  /** Commands and subcommands, each at its `index`. */
  readonly byIndex: readonly Command[];
  readonly #slots: (Command | undefined)[];
  readonly #mask: number;

  /** Throws where two rows have the same name: a mistake in the table. */
  constructor(specs: readonly CommandSpec[]) {
    let size = 0;
    this.commands = specs.map((spec) => new Command(spec, () => size++));
    this.size = size;
    this.byIndex = this.commands.flatMap(withSubcommands);
    let slots = 16;
    while (slots < this.commands.length * 2) slots *= 2;
    this.#mask = slots - 1;
    this.#slots = new Array<Command | undefined>(slots).fill(undefined);
    for (const command of this.commands) {
      const { nameBytes } = command;
      if (this.find(nameBytes, 0, nameBytes.length)) {
        throw new Error(`expected one row for each command, got two for '${command.fullName}'`);
      }
      let slot = wordHash(nameBytes, 0, nameBytes.length) & this.#mask;
      while (this.#slots[slot]) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = command;
    }
  }

  /** The command named `bytes[from..to]`, whatever its case. */
  find(bytes: Uint8Array, from: number, to: number): Command | undefined {
    let slot = wordHash(bytes, from, to) & this.#mask;
    for (;;) {
      const command = this.#slots[slot];
      if (command === undefined || isWord(bytes, from, to, command.nameBytes)) return command;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The subcommand of `container` with this name. */
  findSubcommand(
    container: Command,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): Command | undefined {
    return container.subcommands.find((sub) => isWord(bytes, from, to, sub.nameBytes));
  }

  /** A command or subcommand by its full name (`get`, `client|setname`), whatever its case. */
  byFullName(name: string): Command | undefined {
    const [head, tail, ...more] = name.split('|').map((part) => Buffer.from(part, 'latin1'));
    if (more.length > 0) return undefined;
    const command = this.find(head, 0, head.length);
    if (command === undefined || tail === undefined) return command;
    return this.findSubcommand(command, tail, 0, tail.length);
  }
}

/** In the order in which they were numbered. */
function withSubcommands(command: Command): Command[] {
  return [command, ...command.subcommands.flatMap(withSubcommands)];
}
