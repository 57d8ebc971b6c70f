/**
 * Collects what is wrong with a log, instead of stopping at it.
 *
 * Invariants
 *  1. A place (file and offset) is reported once, by who found it first.
 *  2. Only damage is collected: `WAL_TOO_NEW` and errors that say nothing about the log's bytes are
 *     thrown on.
 */
import { errnoOf, WalError } from '../errors.js';
import { FINDINGS_MAX } from '../limits.js';
import type { WalFinding, WalFindingKind } from './report.js';

/** What costs no record, and does not refuse the log. */
const HARMLESS: readonly WalFindingKind[] = ['trailer', 'torn'];

export class Findings {
  readonly list: WalFinding[] = [];
  dropped = 0;
  readonly #damaged = new Set<string>();
  /** Places in `list`. */
  readonly #seen = new Set<string>();

  /** Whether anything was found that refuses the log. */
  get damage(): boolean {
    return this.#damaged.size > 0;
  }

  isDamaged(file: string): boolean {
    return this.#damaged.has(file);
  }

  add(kind: WalFindingKind, file: string, offset: number, message: string): void {
    const damage = !HARMLESS.includes(kind);
    if (damage) this.#damaged.add(file);
    const place = `${file}\0${offset}`;
    if (this.#seen.has(place)) return;
    if (this.list.length < FINDINGS_MAX) {
      this.#seen.add(place);
      this.list.push({ kind, damage, file, offset, message });
    } else this.dropped++;
  }

  /** Notes what `error` says; it is thrown on where it says nothing about damage. */
  addError(kind: WalFindingKind, file: string, error: unknown): void {
    if (error instanceof WalError && error.verdict !== undefined) {
      const found = error.code === 'WAL_MISSING_SEGMENT' ? 'missing' : kind;
      this.add(found, error.file ?? file, error.offset ?? 0, error.message);
      return;
    }
    const gone = errnoOf(error) === 'ENOENT';
    if (!gone && !isUnreadable(error)) throw error;
    const found = gone ? 'missing' : 'unreadable';
    this.add(found, file, 0, error instanceof Error ? error.message : String(error));
  }

  /** What `read` gives, or `undefined` after its error was noted. */
  async attempt<T>(
    kind: WalFindingKind,
    file: string,
    read: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.addError(kind, file, error);
      return undefined;
    }
  }
}

/** Whether `error` is of a device that cannot read what is there. */
export function isUnreadable(error: unknown): boolean {
  return !(error instanceof WalError) && errnoOf(error) === 'EIO';
}
