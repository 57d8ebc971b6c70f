/**
 * What a bad disk does to a machine that runs: reads and writes that go to another place, and ranges
 * that cannot be read or written. What it does to a machine that is off is `damage.ts`.
 *
 * A misdirected transfer reports success. The bytes of a misdirected write are in the wrong place for
 * everybody, as if the page had been evicted and read back since.
 */
import { vfsError } from '../errors.js';
import type { Coverage } from './coverage.js';
import { due, type Moment, type Planned, planned } from './fault-plan.js';

export interface BadRange {
  /** Files whose path contains this. */
  path: string;
  /** First bad byte. */
  from: number;
  /** Behind the last bad byte. */
  to: number;
  op: 'read' | 'write';
  /** Default `EIO`. */
  error?: string;
  /** Whether it stays bad. Default false: the next transfer that touches it fails, later ones do not. */
  sticky?: boolean;
}

export interface Misdirection extends Moment {
  /** How far from the place asked for, in bytes; either way, but not before the file's start. */
  shiftBytes: number;
}

interface PlannedRange extends BadRange {
  readonly describe: string;
  fired: number;
}

type PlannedShift = Planned & { readonly shiftBytes: number };

export class MediaFaults {
  readonly #coverage: Coverage;
  #ranges: PlannedRange[] = [];
  #shifts: PlannedShift[] = [];

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** Makes reads, or writes, that touch a range of bytes fail. */
  failRange(range: BadRange): void {
    if (!(range.from >= 0 && range.to > range.from)) {
      throw new RangeError(`expected a range of bytes, got ${range.from} to ${range.to}`);
    }
    const { op, path, from, to } = range;
    this.#ranges.push({ ...range, describe: `${op} of ${path} ${from} to ${to}`, fired: 0 });
  }

  /** Makes the nth read return bytes of another place. */
  misdirectReadAt(options: Misdirection): void {
    this.#misdirect('read', options);
  }

  /** Makes the nth write go to another place; where it was meant to go stays as it is. */
  misdirectWriteAt(options: Misdirection): void {
    this.#misdirect('write', options);
  }

  clear(): void {
    this.#ranges = [];
    this.#shifts = [];
  }

  /** Descriptions of what was planned and has not happened. */
  silent(): string[] {
    return [...this.#ranges, ...this.#shifts].filter((p) => p.fired === 0).map((p) => p.describe);
  }

  /** The position from which a transfer takes, or to which it brings, its bytes. */
  place(op: 'read' | 'write', path: string, position: number): number {
    let place = position;
    for (const plan of this.#shifts) if (due(plan, op, path)) place += plan.shiftBytes;
    if (place !== position) this.#coverage.count(`misdirected:${op}`);
    return Math.max(0, place);
  }

  /** How many of `bytes` bytes at `position` come before a bad range. Throws where it starts in one. */
  admit(op: 'read' | 'write', path: string, position: number, bytes: number): number {
    let admitted = bytes;
    for (const range of this.#ranges) {
      if (range.op !== op || (range.fired > 0 && range.sticky !== true)) continue;
      if (!path.includes(range.path)) continue;
      if (position >= range.to || position + admitted <= range.from) continue;
      if (position < range.from) {
        admitted = range.from - position;
        continue;
      }
      range.fired++;
      this.#coverage.count(`bad-range:${op}`);
      throw vfsError(range.error ?? 'EIO', op, path, `injected fault in ${range.describe}`);
    }
    return admitted;
  }

  #misdirect(op: 'read' | 'write', options: Misdirection): void {
    if (!Number.isSafeInteger(options.shiftBytes) || options.shiftBytes === 0) {
      throw new RangeError(`expected shiftBytes to be an integer but 0, got ${options.shiftBytes}`);
    }
    const text = `${op} ${options.nth} misdirected by ${options.shiftBytes} bytes`;
    this.#shifts.push({ ...planned({ ...options, op }, text), shiftBytes: options.shiftBytes });
  }
}
