/**
 * Tables on simulated persistent memory, crashed at every moment of a history.
 *
 * The oracle: what was done before is there, the operation under way is there whole or not at all, and
 * nothing else is. Then everything is verified down to the last block, used a little, verified again.
 * Some of the images are crashed a second time, in the middle of their recovery.
 */
import type { Region } from '@nendb/pmem';
import { type CrashImage, type CrashPoint, openSim } from '@nendb/pmem/sim';
import { DashSpace, DashTable } from '../../src/index.js';

export type Contents = Map<string, string>;

/** One change to table `table` (0: the root; others are nested). */
export type Operation =
  | { kind: 'set'; table: number; key: string; value: string }
  | { kind: 'patch'; table: number; key: string; value: string }
  | { kind: 'remark'; table: number; key: string }
  | { kind: 'delete'; table: number; key: string }
  | { kind: 'clear'; table: number }
  | { kind: 'create' }
  | { kind: 'free'; table: number }
  | { kind: 'maintain'; units: number };

export interface MachineOptions {
  bytesMax: number;
  chunkBytes: number;
  /** Throws of dice at each moment, beside "nothing survives" and "everything does". */
  samples: number;
  /** Of so many images one is crashed again while it recovers. */
  againEvery: number;
  /** Of so many changes that do nothing rare one is watched. */
  commonEvery: number;
  /** Nothing more is crashed after so many failures. */
  failuresMax?: number;
}

/** Drains of a change that moves, grows and compacts nothing. */
const COMMON_DRAINS = 4;

const ADDRESSES_ROOT = 1;
const address = (table: number) => Buffer.from(`table ${table}`);

export class CrashMachine {
  images = 0;
  crashedAgain = 0;
  readonly failures: string[] = [];
  readonly #options: MachineOptions;
  readonly #seen = new Set<string>();
  readonly #sim: ReturnType<typeof openSim>;
  readonly #tables = new Map<number, DashTable>();
  readonly #names: DashTable;
  readonly #space: DashSpace;
  /** What is promised, by table. */
  readonly #done = new Map<number, Contents>([[0, new Map()]]);
  #underWay: Operation | undefined;
  #created = 0;
  /** The number of the table that a `create` under way makes. */
  #creating = 0;
  #operations = 0;
  #watching = false;
  /** Whether moments of a recovery are worth a second crash: until it is used for something new. */
  #collecting = false;
  #drains = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#sim = openSim({ bytesMax: options.bytesMax });
    const { region, sim } = this.#sim;
    this.#space = DashSpace.of(region, { chunkBytes: options.chunkBytes });
    this.#tables.set(0, DashTable.open(region));
    this.#names = DashTable.open(region, { root: ADDRESSES_ROOT });
    sim.onCrashPoint = (point) => {
      if (!this.#watching) return;
      // What every change does is looked at now and then, what is rare always.
      this.#drains++;
      if (this.#drains > COMMON_DRAINS || this.#operations % options.commonEvery === 0) {
        this.#crash(point);
      }
    };
  }

  get tables(): number[] {
    return [...this.#tables.keys()];
  }

  /** Images are made of what happens from here on, or no longer. */
  watch(watching: boolean): void {
    this.#watching = watching;
  }

  run(operation: Operation): void {
    this.#underWay = operation;
    this.#creating = this.#created + 1;
    this.#drains = 0;
    this.#operations++;
    this.#apply(operation);
    if (this.#watching && this.#operations % this.#options.commonEvery === 0) {
      this.#crash(this.#sim.sim.crashPoint());
    }
    advance(this.#done, operation, this.#creating);
    this.#underWay = undefined;
  }

  #apply(operation: Operation): void {
    const { kind } = operation;
    if (kind === 'maintain') {
      this.#space.maintain(operation.units);
      return;
    }
    if (kind === 'create') {
      this.#create();
      return;
    }
    const table = this.#tables.get(operation.table);
    if (table === undefined) throw new Error(`no table ${operation.table}`);
    if (kind === 'free') {
      this.#names.delete(address(operation.table));
      table.free(5);
      this.#tables.delete(operation.table);
    } else if (kind === 'clear') table.clear();
    else change(table, operation);
  }

  #create(): void {
    const at = DashTable.create(this.#sim.region);
    this.#names.set(address(++this.#created), Buffer.from(`${at}`));
    this.#tables.set(this.#created, DashTable.at(this.#sim.region, at));
  }

  #crash(point: CrashPoint): void {
    const { samples, failuresMax = 10 } = this.#options;
    if (this.failures.length >= failuresMax) return;
    for (const image of point.images({ subsetsMax: 2, samples, seen: this.#seen })) {
      this.images++;
      const again = this.images % this.#options.againEvery === 0;
      this.#recover(image.bytes, image, again);
    }
  }

  /** Opens an image and looks at everything; `again`: crashes that as well. */
  #recover(bytes: Uint8Array, image: CrashImage, again: boolean): void {
    const problem = this.#tryRecover(bytes, image, again);
    if (problem !== undefined) {
      this.failures.push(
        `${image.label} of ${JSON.stringify(this.#underWay)?.slice(0, 100)}: ${problem}`,
      );
    }
  }

  #tryRecover(bytes: Uint8Array, image: CrashImage, again: boolean): string | undefined {
    const points: CrashImage[] = [];
    this.#collecting = again;
    try {
      const onCrashPoint = again
        ? (point: CrashPoint) => {
            if (!this.#collecting) return;
            points.push(point.image({ seed: this.images }), point.image('none'));
          }
        : undefined;
      const { region } = openSim({ bytesMax: this.#options.bytesMax, image: bytes, onCrashPoint });
      const table = DashTable.open(region);
      const space = DashSpace.of(region);
      const names = DashTable.open(region, { root: ADDRESSES_ROOT });
      const problem = this.#look(region, table, space, names);
      if (problem !== undefined) return problem;
    } catch (error) {
      return error instanceof Error ? `${error.stack}` : `${error}`;
    }
    for (const point of points) {
      if (this.#seen.has(point.hash)) continue;
      this.#seen.add(point.hash);
      this.images++;
      this.crashedAgain++;
      this.#recover(point.bytes, { ...point, label: `${image.label}, then ${point.label}` }, false);
    }
    return undefined;
  }

  #look(region: Region, root: DashTable, space: DashSpace, names: DashTable): string | undefined {
    const found = new Map<number, DashTable>([[0, root]]);
    for (const [name, at] of names.entries()) {
      const number = Number(Buffer.from(name).toString().slice(6));
      found.set(number, DashTable.at(region, Number(Buffer.from(at).toString())));
    }
    for (const table of [...found.values(), names]) {
      const { problems } = table.verify();
      if (problems.length > 0) return problems.join('; ');
    }
    const before = this.#done;
    const after = new Map([...before].map(([number, contents]) => [number, new Map(contents)]));
    if (this.#underWay !== undefined) advance(after, this.#underWay, this.#creating);
    const actual = new Map([...found].map(([number, table]) => [number, contentsOf(table)]));
    if (!sameTables(actual, before) && !sameTables(actual, after)) {
      return `contents are neither those before nor those after: ${describe(actual, before)}`;
    }
    const first = space.verify();
    if (!first.ok) return first.problems.join('; ');
    this.#collecting = false;
    for (let i = 0; i < 5; i++) root.set(Buffer.from(`new ${i}`), Buffer.alloc(40 * i, i));
    while (space.maintain(1000));
    const { problems } = root.verify();
    if (problems.length > 0) return `afterwards: ${problems.join('; ')}`;
    const last = space.verify();
    return last.ok ? undefined : `afterwards: ${last.problems.join('; ')}`;
  }
}

/** Does to a table what the operation says. */
function change(
  table: DashTable,
  operation: Exclude<Operation, { kind: 'create' | 'maintain' }>,
): void {
  if (operation.kind === 'free' || operation.kind === 'clear') return;
  const key = Buffer.from(operation.key);
  if (operation.kind === 'set') table.set(key, Buffer.from(operation.value));
  else if (operation.kind === 'delete') table.delete(key);
  else if (operation.kind === 'remark') table.remark(key, 0, key.length, 1, 0);
  else {
    const value = Buffer.from(operation.value);
    table.patch(key, 0, key.length, 0, value, 0, value.length, value.length);
  }
}

/** Does the same to what is expected. `created` is the number of the table that `create` makes. */
function advance(all: Map<number, Contents>, operation: Operation, created: number): void {
  if (operation.kind === 'maintain') return;
  if (operation.kind === 'create') {
    all.set(created, new Map());
    return;
  }
  const contents = all.get(operation.table);
  if (contents === undefined) return;
  if (operation.kind === 'free') all.delete(operation.table);
  else if (operation.kind === 'clear') contents.clear();
  else if (operation.kind === 'delete') contents.delete(operation.key);
  else if (operation.kind !== 'remark') contents.set(operation.key, operation.value);
}

function contentsOf(table: DashTable): Contents {
  const contents: Contents = new Map();
  for (const [key, value] of table.entries()) {
    contents.set(Buffer.from(key).toString(), Buffer.from(value).toString());
  }
  return contents;
}

function sameTables(actual: Map<number, Contents>, expected: Map<number, Contents>): boolean {
  if (actual.size !== expected.size) return false;
  for (const [number, contents] of expected) {
    const found = actual.get(number);
    if (found === undefined || found.size !== contents.size) return false;
    for (const [key, value] of contents) if (found.get(key) !== value) return false;
  }
  return true;
}

/** The first differences, for people. */
function describe(actual: Map<number, Contents>, expected: Map<number, Contents>): string {
  const lines: string[] = [];
  for (const number of new Set([...actual.keys(), ...expected.keys()])) {
    const [found, wanted] = [actual.get(number), expected.get(number)];
    if (found === undefined || wanted === undefined)
      lines.push(`table ${number} ${found ? 'is there' : 'is missing'}`);
    for (const key of new Set([...(found?.keys() ?? []), ...(wanted?.keys() ?? [])])) {
      if (found?.get(key) === wanted?.get(key)) continue;
      lines.push(
        `${number}/${key}: expected ${wanted?.get(key)?.slice(0, 20)}, got ${found?.get(key)?.slice(0, 20)}`,
      );
    }
  }
  return lines.slice(0, 5).join('; ');
}
