/** How often each command and option was answered without an error. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  constructor(units: Iterable<string>) {
    for (const unit of units) this.#counts.set(unit, 0);
  }

  count(unit: string): number {
    return this.#counts.get(unit) ?? 0;
  }

  add(units: readonly string[]): void {
    for (const unit of new Set(units)) {
      const before = this.#counts.get(unit);
      if (before !== undefined) this.#counts.set(unit, before + 1);
    }
  }

  /** By unit, the rarest first. */
  table(): [unit: string, count: number][] {
    return [...this.#counts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
  }
}
