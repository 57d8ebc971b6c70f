/**
 * Checks a table from its header to the bytes of its records. Reads only.
 *
 * For every segment: the directory names it for exactly the hashes of its depth. For every slot: the
 * record is there, is this table's, is not dead; its key has the slot's hash and print; the bucket is
 * one where the entry may be, and searching finds it. For every home bucket: what it tells of the
 * stash is what is there. For the table: counts and units add up.
 */
import {
  BUCKET,
  BUCKET_WORDS,
  CLASS_BUCKETS,
  CLASS_MASK,
  GUEST_SHIFT,
  HEAD,
  NORMAL_BUCKETS,
  RECORD,
  SEGMENT,
  SHAPE_CLASS_SHIFT,
  SLOTS_MASK,
  STASH,
  TABLE,
} from '../format.js';
import { FINDINGS_MAX } from '../limits.js';
import { windowAt, wordOf } from '../space/words.js';
import { TableCore } from './core.js';
import { firstStash, segmentDepth, segmentEnd } from './repair.js';
import { freeSlots, homeOf, printOf } from './slots.js';

export interface TableVerdict {
  ok: boolean;
  /** What is wrong, at most 32 findings. */
  problems: string[];
  entries: number;
  segments: number;
  recordBytes: number;
}

export function verifyTable(core: TableCore): TableVerdict {
  return new Verifier(core).run();
}

class Verifier {
  readonly #core: TableCore;
  readonly #probe: TableCore;
  readonly #problems: string[] = [];
  #entries = 0;
  #units = 0;
  #segments = 0;

  constructor(core: TableCore) {
    this.#core = core;
    this.#probe = new TableCore(core.space);
    this.#probe.bind(core.unit);
  }

  run(): TableVerdict {
    const core = this.#core;
    const entries = 2 ** core.depth;
    for (let index = 0; index < entries; ) {
      core.locateEntry(index);
      this.#segments++;
      this.#verifyShape(index);
      this.#verifySegment(index);
      core.locateEntry(index);
      index = segmentEnd(core, index);
    }
    this.#expect('count', core.headerWord(TABLE.count), this.#entries);
    this.#expect('live units', core.headerWord(TABLE.liveUnits), this.#units);
    return {
      ok: this.#problems.length === 0,
      problems: this.#problems,
      entries: this.#entries,
      segments: this.#segments,
      recordBytes: this.#units * 8,
    };
  }

  #verifyShape(index: number): void {
    const core = this.#core;
    const depth = segmentDepth(core);
    const shape = core.window.i32[firstStash(core) + SEGMENT.shape];
    this.#expect(`class of segment ${index}`, shape >>> SHAPE_CLASS_SHIFT, core.entry & CLASS_MASK);
    if (depth > core.depth) {
      this.#report(`segment ${index} is ${depth} bits deep, the directory ${core.depth}`);
      return;
    }
    const span = 2 ** (core.depth - depth);
    if (index % span !== 0) this.#report(`segment ${index} begins inside its own stretch`);
    for (let i = 1; i < span; i++) {
      const other = core.directoryWindow.i32[core.entries + index + i];
      if (other !== core.entry) this.#report(`entry ${index + i} differs from entry ${index}`);
    }
  }

  #verifySegment(index: number): void {
    const core = this.#core;
    const { i32 } = core.window;
    const { entry, segment } = core;
    const normal = NORMAL_BUCKETS[entry & CLASS_MASK];
    const stashed = new Int32Array(normal);
    for (let number = 0; number < CLASS_BUCKETS[entry & CLASS_MASK]; number++) {
      const bucket = segment + number * BUCKET_WORDS;
      if ((i32[bucket + BUCKET.version] & 1) !== 0) this.#report(`bucket ${number} is locked`);
      const bits = i32[bucket + BUCKET.bits];
      if (((bits >>> GUEST_SHIFT) & ~bits & SLOTS_MASK) !== 0) {
        this.#report(`bucket ${number} of segment ${index} has guests in free slots`);
      }
      for (let used = bits & SLOTS_MASK; used !== 0; used &= used - 1) {
        const slot = 31 - Math.clz32(used & -used);
        this.#verifySlot(index, normal, number, bucket, slot, stashed);
        this.#entries++;
      }
    }
    for (let number = 0; number < normal; number++) {
      const told = i32[segment + number * BUCKET_WORDS + BUCKET.stash];
      const prints = 4 - (freeSlots(~STASH.usedMask | told) & 7);
      this.#expect(
        `stash entries of bucket ${number} of segment ${index}`,
        (told >>> STASH.uncountedShift) + prints,
        stashed[number],
      );
    }
  }

  #verifySlot(
    index: number,
    normal: number,
    number: number,
    bucket: number,
    slot: number,
    stashed: Int32Array,
  ): void {
    const core = this.#core;
    const { i32 } = core.window;
    const where = `slot ${slot} of bucket ${number} of segment ${index}`;
    const record = i32[bucket + BUCKET.slots + slot * 2];
    const hash = i32[bucket + BUCKET.slots + slot * 2 + 1];
    const guest = ((i32[bucket + BUCKET.bits] >>> (GUEST_SHIFT + slot)) & 1) === 1;
    const home = homeOf(hash, normal);
    if (number >= normal) stashed[home]++;
    else if (number !== (guest ? (home + 1) % normal : home)) {
      this.#report(`${where} has home ${home}${guest ? ', as a guest' : ''}`);
    }
    if ((hash >>> 1) >>> core.shift < index) this.#report(`${where} belongs to an earlier segment`);
    if (!this.#verifyRecord(where, record)) return;
    const key = new Uint8Array(core.reader.keyBytes(record));
    core.reader.copyKey(record, key, 0);
    const found = this.#probe.find(key, 0, key.length);
    if (found !== record)
      this.#report(`${where} names ${record}, searching its key finds ${found}`);
    if (this.#probe.hash !== hash)
      this.#report(`${where} has hash ${hash}, its key ${this.#probe.hash}`);
    const print = printOf(i32, bucket, slot);
    if (this.#probe.print !== print)
      this.#report(`${where} has print ${print}, its key ${this.#probe.print}`);
  }

  #verifyRecord(where: string, record: number): boolean {
    const core = this.#core;
    const { log } = core.space;
    const head = core.reader.head(record);
    if ((head & HEAD.present) === 0 || (head & (HEAD.dead | HEAD.piece)) !== 0) {
      this.#report(`${where} names ${record}, which is no current record (head ${head})`);
      return false;
    }
    const owner = windowAt(core.windows, record).u32[wordOf(record) + RECORD.table];
    if (owner !== core.unit) this.#report(`${where} names a record of table ${owner}`);
    const chunk = log.chunkOf(record);
    if (chunk === 0 || (record >>> 0) - chunk >= log.filledEnd(chunk)) {
      this.#report(`${where} names ${record}, which is in no chunk`);
      return false;
    }
    this.#units += log.wholeUnits(record);
    return true;
  }

  #expect(what: string, came: number, expected: number): void {
    if (came !== expected) this.#report(`${what}: expected ${expected}, got ${came}`);
  }

  #report(problem: string): void {
    if (this.#problems.length < FINDINGS_MAX) this.#problems.push(problem);
  }
}
