/**
 * Simulated persistent memory: a medium that knows which stores are durable, and what a power loss at
 * any moment could leave.
 *
 *     store ─▶ log of its line ─flush─▶ covered ─drain─▶ durable bytes
 *
 * The machine: stores of up to 8 aligned bytes are atomic; stores to one line of 64 bytes persist as a
 * prefix in program order; lines persist in any order; what was not flushed may persist all the same.
 *
 * It also reports flushes of lines that had nothing to flush, acknowledgements of what was not
 * flushed or drained, and stores that went past the window's methods.
 */
import { Buffer } from 'node:buffer';
import { LINE_BYTES, UNIT_BYTES } from '../address.js';
import { PmemError } from '../errors.js';
import { SIM_BYTES_MAX } from '../limits.js';
import type { Medium } from '../media/medium.js';
import { regionBytes } from '../region-header.js';
import type { RegionCaps } from '../types.js';
import { CrashPoint } from './crash-point.js';
import { LineLog } from './line-log.js';
import { SimWindow, type StoreTrace } from './sim-window.js';

export interface SimPmemOptions {
  bytesMax: number;
  /** What the memory holds at the start: an image of an earlier life, of `bytesMax` bytes. */
  image?: Uint8Array;
  /** Called before each drain takes effect and at each ack: the moments worth crashing at. */
  onCrashPoint?: (point: CrashPoint) => void;
  /** Says in the report where redundant flushes and unpersisted stores come from; slow. */
  traceSites?: boolean;
  /** A full disk: memory beyond so many bytes is refused. */
  diskBytesMax?: number;
}

export interface SimReport {
  stores: number;
  flushes: number;
  drains: number;
  /** Calls of `flush` whose lines had nothing to flush. */
  redundantFlushes: number;
  /** Calls of `drain` with nothing flushed before them. */
  redundantDrains: number;
  /** Where they were called, and how often; with `traceSites`. */
  redundantFlushSites: Map<string, number>;
  /** Acknowledged although a store was not flushed: offsets of lines, with the ack. */
  missingFlushes: Unpersisted[];
  /** Acknowledged although a flush was not drained. */
  missingDrains: Unpersisted[];
}

export interface Unpersisted {
  /** Offset of the line. */
  offset: number;
  ack: string;
  /** Where the line was last stored to; with `traceSites`. */
  site?: string;
}

export class SimPmem implements Medium, StoreTrace {
  readonly backend = 'sim';
  readonly caps: RegionCaps = { durable: 'power', granularityBytes: LINE_BYTES, shared: false };
  readonly flushes = true;
  readonly boot = 'simulated';
  readonly bytesMax: number;
  readonly created: boolean;
  readonly windows: readonly [SimWindow];
  readonly report: SimReport = {
    stores: 0,
    flushes: 0,
    drains: 0,
    redundantFlushes: 0,
    redundantDrains: 0,
    redundantFlushSites: new Map(),
    missingFlushes: [],
    missingDrains: [],
  };
  /** What a full disk allows; may be changed at any time. */
  diskBytesMax: number;
  onCrashPoint: ((point: CrashPoint) => void) | undefined;
  readonly #durable: Uint8Array;
  readonly #durableView: DataView;
  readonly #shadow: Uint8Array;
  readonly #shadowWords: Int32Array;
  readonly #lines = new Map<number, LineLog>();
  readonly #flushed = new Set<number>();
  readonly #volatile: [from: number, to: number][] = [];
  readonly #acks: string[] = [];
  readonly #sites: Map<number, string> | undefined;
  #moments = 0;

  constructor({ bytesMax, image, onCrashPoint, diskBytesMax, traceSites }: SimPmemOptions) {
    this.bytesMax = regionBytes(bytesMax);
    if (this.bytesMax > SIM_BYTES_MAX) {
      throw new PmemError(
        'PMEM_BAD_OPTION',
        `expected at most ${SIM_BYTES_MAX} bytes of simulated memory, got ${bytesMax}`,
      );
    }
    const memory = new ArrayBuffer(this.bytesMax);
    const window = new SimWindow(memory, this);
    if (image !== undefined) window.u8.set(image);
    this.created = image === undefined;
    this.windows = [window];
    this.#durable = window.u8.slice();
    this.#durableView = new DataView(this.#durable.buffer);
    this.#shadow = window.u8.slice();
    this.#shadowWords = new Int32Array(this.#shadow.buffer);
    this.#sites = traceSites === true ? new Map() : undefined;
    this.onCrashPoint = onCrashPoint;
    this.diskBytesMax = diskBytesMax ?? Number.POSITIVE_INFINITY;
  }

  reserve(_window: number, bytes: number): void {
    if (bytes <= this.diskBytesMax) return;
    throw new PmemError(
      'PMEM_EXHAUSTED',
      `expected ${bytes} bytes on the simulated disk, got ${this.diskBytesMax}: ENOSPC`,
    );
  }

  flush(offset: number, bytes: number): void {
    this.report.flushes++;
    let useful = false;
    const last = Math.floor((offset + bytes - 1) / LINE_BYTES);
    for (let line = Math.floor(offset / LINE_BYTES); line <= last; line++) {
      const log = this.#lines.get(line);
      if (log === undefined || log.flushed === log.length) continue;
      log.flushed = log.length;
      this.#flushed.add(line);
      useful = true;
    }
    if (useful) return;
    this.report.redundantFlushes++;
    if (this.#sites === undefined) return;
    const { redundantFlushSites: sites } = this.report;
    const site = callSite();
    sites.set(site, (sites.get(site) ?? 0) + 1);
  }

  drain(): void {
    this.report.drains++;
    if (this.#flushed.size === 0) this.report.redundantDrains++;
    this.#moment('drain');
    for (const line of this.#flushed) {
      const log = this.#lines.get(line);
      if (log === undefined) continue;
      log.apply(this.#durableView, line * LINE_BYTES, log.flushed);
      log.drop(log.flushed);
      if (log.length === 0) this.#lines.delete(line);
    }
    this.#flushed.clear();
  }

  writeThrough(offset: number, bytes: number): void {
    this.flush(offset, bytes);
    this.drain();
  }

  buffers(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.checkStores();
  }

  /**
   * Says that what was done so far was promised to somebody: it must be there in every image from
   * now on. Reports lines that are not durable, except those declared volatile.
   */
  ack(label: string): void {
    for (const [line, log] of this.#lines) {
      const offset = line * LINE_BYTES;
      if (this.#volatile.some(([from, to]) => offset + LINE_BYTES > from && offset < to)) continue;
      const list = log.flushed < log.length ? 'missingFlushes' : 'missingDrains';
      const site = this.#sites?.get(line);
      this.report[list].push({ offset, ack: label, ...(site === undefined ? {} : { site }) });
    }
    this.#acks.push(label);
    this.#moment('ack');
  }

  /** Bytes that nobody expects to survive (locks, hints): an ack does not ask for them. */
  declareVolatile(offset: number, bytes: number): void {
    this.#volatile.push([offset, offset + bytes]);
  }

  /** What a power loss right now could leave. */
  crashPoint(): CrashPoint {
    return this.#pointAt('now');
  }

  /** Throws `PMEM_SIM_BYPASS` if memory was stored to other than through the window's methods. */
  checkStores(): void {
    const { u8 } = this.windows[0];
    if (Buffer.compare(u8, this.#shadow) === 0) return;
    const at = u8.findIndex((byte, index) => byte !== this.#shadow[index]);
    throw new PmemError(
      'PMEM_SIM_BYPASS',
      `expected every store through the methods of RegionWindow, got another at offset ${at}: ${this.#shadow[at]} became ${u8[at]}`,
    );
  }

  stored(at: number, bytes: 4 | 8): void {
    this.#log(at, bytes);
  }

  storedMany(from: number, to: number): void {
    // memcpy promises no order: half of the time its stores are seen backwards.
    if ((this.report.stores & 1) === 0) {
      for (let at = from; at < to; at = endOfUnit(at))
        this.#log(at, Math.min(endOfUnit(at), to) - at);
    } else {
      for (let end = to; end > from; ) {
        const at = Math.max(startOfUnit(end - 1), from);
        this.#log(at, end - at);
        end = at;
      }
    }
  }

  #log(at: number, bytes: number): void {
    this.report.stores++;
    const line = Math.floor(at / LINE_BYTES);
    let log = this.#lines.get(line);
    if (log === undefined) {
      log = new LineLog();
      this.#lines.set(line, log);
    }
    const { i32, u8 } = this.windows[0];
    let low = 0;
    let high = 0;
    if (bytes === 4 && at % 4 === 0) {
      low = i32[at / 4];
      this.#shadowWords[at / 4] = low;
    } else if (bytes === 8) {
      low = i32[at / 4];
      high = i32[at / 4 + 1];
      this.#shadowWords[at / 4] = low;
      this.#shadowWords[at / 4 + 1] = high;
    } else {
      for (let i = 0; i < bytes; i++) {
        const byte = u8[at + i];
        this.#shadow[at + i] = byte;
        if (i < 4) low |= byte << (i * 8);
        else high |= byte << ((i - 4) * 8);
      }
    }
    log.push(at % LINE_BYTES, bytes, low, high);
    this.#sites?.set(line, callSite());
  }

  #moment(moment: 'drain' | 'ack'): void {
    if (this.onCrashPoint !== undefined) {
      this.checkStores();
      this.onCrashPoint(this.#pointAt(moment));
    }
    this.#moments++;
  }

  #pointAt(moment: 'drain' | 'ack' | 'now'): CrashPoint {
    return new CrashPoint(moment, this.#moments, this.#acks, this.#durable, this.#lines);
  }
}

/** Stores are of at most 8 aligned bytes. */
function startOfUnit(at: number): number {
  return at - (at % UNIT_BYTES);
}

function endOfUnit(at: number): number {
  return startOfUnit(at) + UNIT_BYTES;
}

const OWN_FILES = /\/pmem\/(?:src|dist)\/(?:sim|region)/;

/** The innermost caller outside of the simulator: file and line. */
function callSite(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const frame = frames.find((text) => !OWN_FILES.test(text)) ?? frames.at(-1) ?? '';
  return frame.trim().replace(/^at /, '');
}
