/**
 * One moment of a recorded run at which the machine may die, and the images that can be left.
 *
 * An image is a pure function of (history up to here, kind, profile, choice): the dice are seeded by
 * the choice and the position alone, and nothing is run again. Building one costs in the size of
 * what is reachable, not of what was written.
 */
import type { FileContent } from './content.js';
import type { Coverage } from './coverage.js';
import {
  type ChoiceLimits,
  type CrashChoice,
  type CrashMoment,
  type CrashProfile,
  type CrashUnit,
  type Fate,
  posixWeak,
} from './crash-profile.js';
import type { Disk } from './disk.js';
import {
  applyDurably,
  type DirectoryNode,
  type DiskNode,
  type DiskState,
  type FileNode,
  type NameOperation,
  nameKey,
  ROOT_INODE,
} from './disk-state.js';
import { durablePast } from './durable-past.js';
import type { Change } from './history.js';
import { type CrashKind, cleanDirectory, cleanFile, SimImage } from './image.js';
import { JournalledFile } from './journalled-file.js';
import { Prng } from './prng.js';
import { SECTOR_BYTES, type Sector, sectorOf } from './sector.js';

/** When a process dies inside a write, so many of the places where the write can stop are tried. */
const TORN_WRITES = 2;

/** How far back a sector may have been written back, in states of its file. */
const EARLIER_STATES_MAX = 64;

export class CrashPoint {
  readonly #disk: Disk;
  readonly #nodes = new Map<number, DiskNode>();
  readonly #pending: readonly NameOperation[];
  #units: CrashUnit[] | undefined;
  readonly #past = new Map<string, readonly FileContent[]>();

  constructor(
    disk: Disk,
    /** The number of operations that changed the disk before the crash. */
    readonly at: number,
    readonly kind: CrashKind,
    readonly profile: CrashProfile = posixWeak,
    private readonly wallMs: number,
    private readonly boots: number,
    private readonly coverage: Coverage,
  ) {
    this.#disk = disk;
    this.#pending = disk.pending.at(at);
    this.#reach(ROOT_INODE);
    for (const { changes } of this.#pending) {
      for (const { inode } of changes) if (inode !== undefined) this.#reach(inode);
    }
  }

  /** What is not yet durable here. Nothing of it is in danger when only the process dies. */
  get units(): readonly CrashUnit[] {
    this.#units ??= this.kind === 'kill' ? [] : this.#collectUnits();
    return this.#units;
  }

  choices(limits?: ChoiceLimits): CrashChoice[] {
    if (this.kind === 'power') return this.profile.choices(this.units, limits, this.#moment);
    const torn = this.#writeInFlight() === undefined ? 0 : TORN_WRITES;
    return ['all', ...Array.from({ length: torn }, (_, i) => ({ seed: i + 1 }))];
  }

  image(choice: CrashChoice): SimImage {
    this.coverage.count(`crash:${this.kind}`);
    const state = this.kind === 'kill' ? this.#killed(choice) : this.#cut(choice);
    return new SimImage(state, this.#label(choice), this.wallMs, this.boots, {
      coverage: this.coverage,
      durablePast: (path) => this.#durablePast(path),
    });
  }

  #durablePast(path: string): readonly FileContent[] {
    let found = this.#past.get(path);
    if (found === undefined) {
      found = durablePast(this.#disk, path, this.at);
      this.#past.set(path, found);
    }
    return found;
  }

  get #moment(): CrashMoment {
    return { at: this.at, committedAt: this.#disk.committedAt.at(this.at) ?? this.at };
  }

  /** The next change, where it is a write that can stop in the middle. */
  #writeInFlight(): NonNullable<Change['extent']> | undefined {
    const extent = this.#disk.history.changes[this.at]?.extent;
    return extent !== undefined && extent.to - extent.from > 1 ? extent : undefined;
  }

  /** All that was done is there; with a throw of dice also the first bytes of the next write. */
  #killed(choice: CrashChoice): DiskState {
    const extent = this.#writeInFlight();
    if (extent === undefined || typeof choice === 'string' || !('seed' in choice)) {
      return { nodes: this.#nodes, pending: this.#pending };
    }
    const { inode, from, to } = extent;
    const before = this.#nodes.get(inode);
    const after = this.#disk.nodes.get(inode)?.at(this.at + 1);
    // The file may have lost its last name: nobody will read it again.
    if (before?.kind !== 'file' || after?.kind !== 'file') return this.#killed('all');
    const written = new Uint8Array(1 + new Prng(choice.seed, this.at).below(to - from - 1));
    after.cache.read(written, from);
    this.coverage.count('crash:torn-write');
    const nodes = new Map(this.#nodes);
    nodes.set(inode, { ...before, cache: before.cache.write(written, from) });
    return { nodes, pending: this.#pending };
  }

  #label(choice: CrashChoice): string {
    const last = this.#disk.history.changes[this.at - 1];
    const after = last === undefined ? '' : ` (${last.kind} ${last.path} ${last.detail})`.trimEnd();
    const profile = this.kind === 'kill' ? 'next write torn' : this.profile.name;
    const whole = this.kind === 'kill' && choice === 'all';
    const chosen = whole ? '' : `, ${profile}, ${JSON.stringify(choice)}`;
    return `${this.kind} after change ${this.at}${after}${chosen}`;
  }

  /** Collects every node that a name, cached or durable, leads to. */
  #reach(inode: number): void {
    if (this.#nodes.has(inode)) return;
    const node = this.#disk.nodes.get(inode)?.at(this.at);
    if (node === undefined) return;
    this.#nodes.set(inode, node);
    if (node.kind === 'file') return;
    for (const child of node.entries.values()) this.#reach(child);
    for (const child of node.durable.values()) this.#reach(child);
  }

  #collectUnits(): CrashUnit[] {
    const units: CrashUnit[] = this.#pending.map((_, order) => ({ type: 'name', order }));
    for (const [inode, node] of this.#nodes) {
      if (node.kind !== 'file' || node.cache === node.clean) continue;
      if (node.cache.size !== node.clean.size) units.push({ type: 'size', inode });
      for (const index of node.cache.differences(node.clean)) {
        const fresh = node.durable.sector(index) === undefined;
        units.push({ type: 'sector', inode, index, fresh });
      }
    }
    return units;
  }

  #cut(choice: CrashChoice): DiskState {
    const seed = typeof choice === 'object' && 'seed' in choice ? choice.seed : 0;
    const dice = new Prng(seed, this.at);
    const commit = this.profile.commit?.(choice, dice, this.#moment);
    const fates = this.profile.fates(this.units, choice, dice);
    this.#countFates(fates);
    return commit === undefined
      ? this.#withUnits(fates, dice)
      : this.#withJournal(commit, fates, dice);
  }

  #countFates(fates: readonly Fate[]): void {
    if (fates.length > 0) this.coverage.count(`profile:${this.profile.name}`);
    for (const fate of new Set(fates)) this.coverage.count(`fate:${fate}`);
  }

  /** Each unit has a fate of its own. */
  #withUnits(fates: readonly Fate[], dice: Prng): DiskState {
    const keptNames: boolean[] = [];
    const files = new Map<number, Loss>();
    for (const [order, unit] of this.units.entries()) {
      const fate = fates[order];
      if (unit.type === 'name') {
        keptNames[unit.order] = fate === 'kept';
        continue;
      }
      let loss = files.get(unit.inode);
      if (loss === undefined) {
        loss = this.#startLoss(unit.inode);
        files.set(unit.inode, loss);
      }
      if (unit.type === 'size') loss.size = this.#sizeAfter(loss, fate, dice);
      else loss.sectors.push([unit.index, this.#sectorAfter(loss, unit.index, fate, dice)]);
    }
    const contents = new Map<number, FileContent>();
    for (const { inode, node, sectors, size } of files.values()) {
      contents.set(inode, node.durable.patch(sectors, size));
    }
    return this.#survivors(this.#namesAfter(keptNames), contents);
  }

  /** Names, sizes and blocks are as of entry `commit`; fates are for bytes written in place. */
  #withJournal(commit: number, fates: readonly Fate[], dice: Prng): DiskState {
    const files = new Map<number, { file: JournalledFile; sectors: [number, Sector][] }>();
    for (const [inode, node] of this.#nodes) {
      const versions = this.#disk.nodes.get(inode);
      if (node.kind !== 'file' || node.cache === node.durable || versions === undefined) continue;
      files.set(inode, {
        file: new JournalledFile(versions, node, this.at, commit),
        sectors: [],
      });
    }
    for (const [order, unit] of this.units.entries()) {
      const survivor = unit.type === 'sector' ? files.get(unit.inode) : undefined;
      if (unit.type !== 'sector' || survivor === undefined || fates[order] === 'old') continue;
      const states = survivor.file.laterStates(unit.index);
      const state = states[fates[order] === 'kept' ? 0 : dice.below(states.length)];
      if (state !== undefined) survivor.sectors.push([unit.index, state]);
    }
    const contents = new Map<number, FileContent>();
    for (const [inode, { file, sectors }] of files) {
      contents.set(inode, file.base.patch(sectors, file.base.size));
    }
    const keptNames = this.#pending.map(({ at }) => at <= commit);
    return this.#survivors(this.#namesAfter(keptNames), contents);
  }

  #startLoss(inode: number): Loss {
    const node = this.#nodes.get(inode) as FileNode;
    return { inode, node, size: node.durable.size, sectors: [], earlier: undefined };
  }

  #sizeAfter(loss: Loss, fate: Fate, dice: Prng): number {
    if (fate === 'kept') return loss.node.cache.size;
    return fate === 'earlier' ? this.#earlier(loss, dice).size : loss.node.durable.size;
  }

  #sectorAfter(loss: Loss, index: number, fate: Fate, dice: Prng): Sector | undefined {
    if (fate === 'kept') return loss.node.cache.sector(index);
    if (fate === 'earlier') return this.#earlier(loss, dice).sector(index);
    if (fate === 'old') return loss.node.durable.sector(index);
    const bytes = new Uint8Array(SECTOR_BYTES);
    dice.fill(bytes);
    return sectorOf(bytes);
  }

  /** One of the states of the file since it was last durable. */
  #earlier(loss: Loss, dice: Prng): FileContent {
    if (loss.earlier === undefined) {
      loss.earlier = [];
      for (const [, node] of this.#disk.nodes.get(loss.inode)?.back(this.at) ?? []) {
        if (node.kind !== 'file' || node.cache === loss.node.durable) break;
        if (loss.earlier.push(node.cache) === EARLIER_STATES_MAX) break;
      }
    }
    const { earlier } = loss;
    return earlier.length === 0 ? loss.node.durable : earlier[dice.below(earlier.length)];
  }

  /** Durable names with the surviving operations applied, in order, each name's order kept. */
  #namesAfter(kept: readonly boolean[]): Map<number, Map<string, number>> {
    const lost = new Set<string>();
    const surviving = this.#pending.filter((operation, order) => {
      const keys = operation.changes.map(nameKey);
      if (kept[order] && !keys.some((key) => lost.has(key))) return true;
      for (const key of keys) lost.add(key);
      return false;
    });
    const names = new Map<number, Map<string, number>>();
    for (const [inode, node] of this.#nodes) {
      if (node.kind === 'directory') names.set(inode, new Map(node.durable));
    }
    // A directory that was replaced, and that no name leads to, is of no interest.
    applyDurably(surviving, (directory) => names.get(directory) ?? new Map());
    return names;
  }

  #survivors(
    names: ReadonlyMap<number, ReadonlyMap<string, number>>,
    contents: ReadonlyMap<number, FileContent>,
  ): DiskState {
    const nodes = new Map<number, DiskNode>();
    const keep = (inode: number): void => {
      if (nodes.has(inode)) return;
      const node = this.#nodes.get(inode) as FileNode | DirectoryNode;
      if (node.kind === 'file') {
        nodes.set(inode, cleanFile(contents.get(inode) ?? node.durable, node.modifiedMs));
        return;
      }
      const entries = names.get(inode) as ReadonlyMap<string, number>;
      nodes.set(inode, cleanDirectory(entries, node.modifiedMs));
      for (const child of entries.values()) keep(child);
    };
    keep(ROOT_INODE);
    return { nodes, pending: [] };
  }
}

/** What becomes of one file. */
interface Loss {
  readonly inode: number;
  readonly node: FileNode;
  size: number;
  readonly sectors: [number, Sector | undefined][];
  earlier: FileContent[] | undefined;
}
