/**
 * Runs a transcript: commands and their answers, apart by `----`, blocks apart by an empty line.
 *
 *     strategy <name> [runs=4] [base=64] [factor=10]     begins; sizes are in MiB
 *     add L<level> [run=<n>] <from>-<to> <MiB> [tombstones=<%>] [ranges=<n>]
 *         [values=<MiB> file=1] [expires=<minutes>] [key=<id>]
 *     flush <from>-<to> <MiB>                          a new run in level 0
 *     show                                             the shape of the tree
 *     pick                                             what the strategy would do
 *     settle                                           does what it picks until it picks nothing
 *     file <number> <MiB> [key=<id>]                   a value file
 *     housekeep [now=<minutes>] [snapshot=<n>] [key=<id>]   what housekeeping would do
 *
 * A compaction that is done leaves as much as went in, less a tenth where runs overlap.
 */
import { pickHousekeeping } from '../../src/compaction/housekeeping.js';
import { movedTable, strategyOf } from '../../src/compaction/pick.js';
import type { Compaction, Strategy } from '../../src/compaction/strategy.js';
import type { TableMeta, ValueFileMeta } from '../../src/version/table-meta.js';
import { Version } from '../../src/version/version.js';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const SETTLE_MAX = 50;
const TABLE_BYTES = 32 * MIB;

export class Session {
  #tables = new Map<number, TableMeta>();
  #files = new Map<number, ValueFileMeta>();
  #next = 1;
  #strategy: Strategy = strategyOf('leveled', defaults());

  /** The transcript with the answers as they are. */
  static run(script: string): string {
    const session = new Session();
    const blocks = script.trim().split(/\n\n+/);
    return `${blocks
      .map((block) => {
        if (block.startsWith('#')) return block;
        const [commands] = block.split('\n----');
        const answers = commands.split('\n').flatMap((command) => session.#command(command));
        return `${commands}\n----\n${answers.join('\n') || 'ok'}`;
      })
      .join('\n\n')}\n`;
  }

  #command(line: string): string[] {
    const [command, ...words] = line.split(/\s+/);
    if (command === 'strategy') return this.#begin(words);
    if (command === 'add') return this.#add(words);
    if (command === 'flush') {
      const run = Math.max(0, ...this.#version.level0.map((each) => each.run)) + 1;
      return this.#add(['L0', `run=${run}`, ...words]);
    }
    if (command === 'show') return this.#show();
    if (command === 'pick') return [describePick(this.#strategy.pick(this.#version))];
    if (command === 'settle') return this.#settle();
    if (command === 'file') return this.#file(words);
    if (command === 'housekeep') return this.#housekeep(words);
    throw new Error(`unknown command ${line}`);
  }

  get #version(): Version {
    return new Version(this.#tables, this.#files);
  }

  #begin([name, ...rest]: string[]): string[] {
    const { runs = 4, base = 64 } = numbersIn(rest);
    this.#tables = new Map();
    this.#files = new Map();
    this.#next = 1;
    this.#strategy = strategyOf(name as Strategy['name'], {
      ...defaults(),
      level0RunsCompact: runs,
      levelBaseBytes: base * MIB,
    });
    return [];
  }

  #add(words: string[]): string[] {
    const named = numbersIn(words);
    const plain = words.filter((word) => !word.includes('='));
    const level = Number(plain[0].slice(1));
    const [smallest, largest] = plain[1].split('-');
    const entries = 1000;
    this.#put(level, named.run ?? 0, smallest, largest, Number(plain[2]) * MIB, {
      entries,
      tombstones: ((named.tombstones ?? 0) * entries) / 100,
      rangeTombstones: named.ranges ?? 0,
      expireMinMs: (named.expires ?? 0) * MINUTE_MS,
      keyId: named.key ?? -1,
      valueRefs:
        named.values === undefined
          ? []
          : [{ file: named.file ?? 1, bytes: named.values * MIB, entries }],
    });
    return [];
  }

  #put(
    level: number,
    run: number,
    smallest: string,
    largest: string,
    fileBytes: number,
    more: Partial<TableMeta>,
  ): void {
    const number = this.#next++;
    this.#tables.set(number, {
      ...{ number, level, run, fileBytes, sequenceMin: number, sequenceMax: number },
      ...{ smallest: Buffer.from(smallest), largest: Buffer.from(largest) },
      ...{ entries: 1000, tombstones: 0, rangeTombstones: 0, expireMinMs: 0 },
      ...{ keyId: -1, createdMs: 0, valueRefs: [] },
      ...more,
    });
  }

  #file(words: string[]): string[] {
    const [number, mib] = words.filter((word) => !word.includes('=')).map(Number);
    const { key = -1 } = numbersIn(words);
    const bytes = mib * MIB;
    this.#files.set(number, {
      ...{ number, fileBytes: bytes, recordBytes: bytes, keyId: key, createdMs: 0 },
    });
    return [];
  }

  #housekeep(words: string[]): string[] {
    const { now = 0, snapshot = Number.POSITIVE_INFINITY, key } = numbersIn(words);
    const pick = pickHousekeeping(this.#version, {
      nowMs: now * MINUTE_MS,
      oldestSnapshot: snapshot,
      activeKeyId: key,
    });
    const emptied = pick?.rewriteValueFiles ?? [];
    const files = emptied.length > 0 ? `, empties value files ${emptied.join(' ')}` : '';
    return [`${describePick(pick)}${files}`];
  }

  #settle(): string[] {
    const said: string[] = [];
    for (let n = 0; n < SETTLE_MAX; n++) {
      const pick = this.#strategy.pick(this.#version);
      if (pick === undefined) return said;
      said.push(describePick(pick));
      this.#do(pick);
    }
    throw new Error('the strategy never settles');
  }

  #do(pick: Compaction): void {
    const { inputs, outputLevel, outputRun } = pick;
    const all = inputs.flat();
    for (const { number } of all) this.#tables.delete(number);
    const moved = movedTable(pick);
    if (moved !== undefined) {
      this.#tables.set(moved.number, { ...moved, level: outputLevel, run: outputRun });
      return;
    }
    const bytes = all.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    const kept = inputs.length > 1 ? bytes * 0.9 : bytes;
    const from = Math.min(...all.map(({ smallest }) => smallest[0]));
    const to = Math.max(...all.map(({ largest }) => largest[0]));
    const parts = Math.max(1, Math.min(Math.ceil(kept / TABLE_BYTES), to - from + 1));
    for (let i = 0; i < parts; i++) {
      const first = from + Math.floor(((to - from + 1) * i) / parts);
      const last = from + Math.floor(((to - from + 1) * (i + 1)) / parts) - 1;
      const keys = [first, last].map((code) => String.fromCharCode(code));
      this.#put(outputLevel, outputRun, keys[0], keys[1], kept / parts, {});
    }
  }

  #show(): string[] {
    return this.#version.runs.map(({ level, run, tables }) => {
      const name = level === 0 ? `L0 run ${run}` : `L${level}`;
      return `${name}: ${tables.map(describeTable).join(' ')}`;
    });
  }
}

function describePick(pick: Compaction | undefined): string {
  if (pick === undefined) return 'nothing';
  const { reason, inputs, outputLevel, outputRun } = pick;
  const from = inputs.map((tables) => {
    const [{ level, run }] = tables;
    return `${level === 0 ? `L0 run ${run}` : `L${level}`} ${tables.map(describeTable).join(' ')}`;
  });
  const to = outputLevel === 0 ? `L0 run ${outputRun}` : `L${outputLevel}`;
  const how = movedTable(pick) === undefined ? '->' : 'moves to';
  return `${reason}: ${from.join(' + ')} ${how} ${to}`;
}

function describeTable({ smallest, largest, fileBytes }: TableMeta): string {
  return `[${Buffer.from(smallest)}-${Buffer.from(largest)} ${Math.round((fileBytes / MIB) * 10) / 10}]`;
}

function numbersIn(words: readonly string[]): Record<string, number | undefined> {
  const named = words.filter((word) => word.includes('=')).map((word) => word.split('='));
  return Object.fromEntries(named.map(([name, value]) => [name, Number(value)]));
}

function defaults() {
  return { level0RunsCompact: 4, levelBaseBytes: 64 * MIB };
}
