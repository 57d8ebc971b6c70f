/** Histories worth crashing: each reaches one part of the table, a seed varies it. */
import { random } from '../random.js';
import { CrashMachine, type MachineOptions, type Operation } from './machine.js';

export interface History {
  name: string;
  bytesMax: number;
  /** Entries of the root table before anybody watches. */
  entriesBefore: number;
  operations: number;
  /** Of 1000 operations so many are of a kind; the rest sets. */
  weights: Partial<Record<Operation['kind'], number>>;
  keys: number;
  valueBytesMax: number;
  commonEvery: number;
}

const KiB = 1024;

export const HISTORIES: readonly History[] = [
  {
    name: 'insert, update, delete and displacement in small segments',
    bytesMax: 32 * KiB,
    entriesBefore: 30,
    operations: 100,
    weights: { delete: 350 },
    keys: 70,
    valueBytesMax: 60,
    commonEvery: 1,
  },
  {
    name: 'growth through the classes',
    bytesMax: 52 * KiB,
    entriesBefore: 0,
    operations: 320,
    weights: {},
    keys: 1000,
    valueBytesMax: 8,
    commonEvery: 10,
  },
  {
    name: 'a split and a doubling',
    bytesMax: 84 * KiB,
    entriesBefore: 640,
    operations: 140,
    weights: { delete: 30 },
    keys: 3000,
    valueBytesMax: 8,
    commonEvery: 10,
  },
  {
    name: 'compaction',
    bytesMax: 40 * KiB,
    entriesBefore: 40,
    operations: 120,
    weights: { delete: 100, maintain: 50, remark: 50 },
    keys: 40,
    valueBytesMax: 300,
    commonEvery: 2,
  },
  {
    name: 'long values in pieces',
    bytesMax: 60 * KiB,
    entriesBefore: 8,
    operations: 60,
    weights: { delete: 100, remark: 150, patch: 300, maintain: 50 },
    keys: 10,
    valueBytesMax: 3000,
    commonEvery: 2,
  },
  {
    name: 'tables made, cleared and freed',
    bytesMax: 48 * KiB,
    entriesBefore: 20,
    operations: 100,
    weights: { create: 80, clear: 40, free: 60, maintain: 100, delete: 100 },
    keys: 60,
    valueBytesMax: 40,
    commonEvery: 2,
  },
];

export function runHistory(
  history: History,
  seed: number,
  options: Pick<MachineOptions, 'samples' | 'againEvery' | 'failuresMax'>,
): CrashMachine {
  const next = random(seed);
  const machine = new CrashMachine({
    ...options,
    bytesMax: history.bytesMax,
    chunkBytes: 2048,
    commonEvery: history.commonEvery,
  });
  const key = () => `key ${next(history.keys)}`;
  const value = () => `${next(1e6)}`.repeat(2).padEnd(next(history.valueBytesMax), '.');
  for (let i = 0; i < history.entriesBefore; i++) {
    machine.run({ kind: 'set', table: 0, key: key(), value: value() });
  }
  machine.watch(true);
  const { failuresMax = 10 } = options;
  for (let i = 0; i < history.operations && machine.failures.length < failuresMax; i++) {
    const { tables } = machine;
    const table = tables[next(tables.length)];
    machine.run(operation(pick(history, next(1000)), tables.length, table, next, key, value));
  }
  return machine;
}

function pick({ weights }: History, dice: number): Operation['kind'] {
  let left = dice;
  for (const [kind, weight] of Object.entries(weights)) {
    left -= weight;
    if (left < 0) return kind as Operation['kind'];
  }
  return 'set';
}

function operation(
  kind: Operation['kind'],
  tables: number,
  table: number,
  next: (below: number) => number,
  key: () => string,
  value: () => string,
): Operation {
  if (kind === 'maintain') return { kind, units: next(60) };
  if (kind === 'create' && tables < 4) return { kind };
  if (kind === 'free' && table !== 0) return { kind, table };
  if (kind === 'clear' || kind === 'delete' || kind === 'remark')
    return { kind, table, key: key() };
  if (kind === 'patch') return { kind, table, key: key(), value: value() };
  return { kind: 'set', table, key: key(), value: value() };
}
