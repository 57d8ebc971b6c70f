/**
 * How often each kind of fault, damage, crash and detection happened. A sweep whose faults never
 * fired proves nothing, so it ends with `assertComplete`.
 *
 *     const total = new Coverage();
 *     const sim = new SimVfs({ coverage: total });     // counts there as well as in sim.coverage
 *     total.merge(other);                              // of another machine, another file
 *     total.assertComplete(FAULT_COVERAGE);
 */
import type { CoverageKind } from './coverage-kinds.js';

export class Coverage {
  readonly #counters = new Map<CoverageKind, number>();
  readonly #total: Coverage | undefined;

  /** What is counted here is counted in `total` too. */
  constructor(total?: Coverage) {
    this.#total = total;
  }

  /** Kinds that happened, with how often. */
  get counters(): ReadonlyMap<CoverageKind, number> {
    return this.#counters;
  }

  /** How often `kind` happened. */
  times(kind: CoverageKind): number {
    return this.#counters.get(kind) ?? 0;
  }

  count(kind: CoverageKind, times = 1): void {
    this.#counters.set(kind, this.times(kind) + times);
    this.#total?.count(kind, times);
  }

  /** Adds the counts of `other`; returns this. */
  merge(other: Coverage): this {
    for (const [kind, times] of other.counters) this.count(kind, times);
    return this;
  }

  /** The kinds among `kinds` that never happened. */
  missing(kinds: Iterable<CoverageKind>): CoverageKind[] {
    return [...kinds].filter((kind) => this.times(kind) === 0);
  }

  /** Throws, naming them, if some of `kinds` never happened. */
  assertComplete(kinds: Iterable<CoverageKind>): void {
    const wanted = [...kinds];
    const missing = this.missing(wanted);
    if (missing.length === 0) return;
    throw new Error(
      `expected each of ${wanted.length} kinds to have happened, but these did not: ${missing.join(', ')}: plan them, or run longer`,
    );
  }
}
