/**
 * Values of the value log that were read last: what `prepare` brings in stays for the command that asked, and hot
 * values are not read again.
 *
 * Least recently used first out, under the shared budget. Values are never changed; who gets one must not either.
 */
import type { BudgetAccount, MemoryBudget } from '../cache/memory-budget.js';
import type { ValuePointer } from '../value-log/pointer.js';

/** The share of the budget that values may take, and the share of that which one of them may. */
const BUDGET_SHARE = 1 / 4;
const VALUE_SHARE = 1 / 4;
/** What an entry costs beside its bytes. */
const OVERHEAD_BYTES = 128;

export class ValueCache {
  readonly #account: BudgetAccount;
  readonly #bytesMax: number;
  readonly #values = new Map<number, Map<number, Uint8Array>>();
  /** Files and offsets in the order of their last use. */
  readonly #order = new Map<string, { file: number; offset: number; bytes: number }>();
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#account = budget.account('values');
    this.#bytesMax = budget.limitBytes * BUDGET_SHARE;
    budget.onPressure((bytes) => this.#reclaim(bytes));
  }

  get({ file, offset }: ValuePointer): Uint8Array | undefined {
    const value = this.#values.get(file)?.get(offset);
    if (value === undefined) return undefined;
    const name = `${file}:${offset}`;
    const place = this.#order.get(name);
    if (place !== undefined) {
      this.#order.delete(name);
      this.#order.set(name, place);
    }
    return value;
  }

  has({ file, offset }: ValuePointer): boolean {
    return this.#values.get(file)?.has(offset) ?? false;
  }

  /** Keeps `value`, unless it is too long for that. */
  keep({ file, offset }: ValuePointer, value: Uint8Array): void {
    const bytes = value.length + OVERHEAD_BYTES;
    if (bytes > this.#bytesMax * VALUE_SHARE || this.has({ file, offset, bytes })) return;
    if (this.#bytes + bytes > this.#bytesMax) this.#reclaim(this.#bytes + bytes - this.#bytesMax);
    const ofFile = this.#values.get(file) ?? new Map<number, Uint8Array>();
    this.#values.set(file, ofFile.set(offset, value));
    this.#order.set(`${file}:${offset}`, { file, offset, bytes });
    this.#count(bytes);
  }

  /** Forgets the values of a file. */
  drop(file: number): void {
    for (const offset of this.#values.get(file)?.keys() ?? []) this.#forget(`${file}:${offset}`);
  }

  #reclaim(bytes: number): number {
    const before = this.#bytes;
    for (const name of this.#order.keys()) {
      if (before - this.#bytes >= bytes) break;
      this.#forget(name);
    }
    return before - this.#bytes;
  }

  #forget(name: string): void {
    const place = this.#order.get(name);
    if (place === undefined) return;
    this.#order.delete(name);
    const ofFile = this.#values.get(place.file);
    ofFile?.delete(place.offset);
    if (ofFile?.size === 0) this.#values.delete(place.file);
    this.#count(-place.bytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#account.add(bytes);
  }
}
