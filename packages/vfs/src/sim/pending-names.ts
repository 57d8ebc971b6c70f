/**
 * Links, unlinks and renames that no directory sync has made durable yet, in the order in which they
 * were done.
 *
 * Invariant: order is kept per name. What makes an operation durable makes durable, before it, every
 * earlier one that shares a name with it; a rename, which has two names, ties two chains together.
 */
import { type NameChange, type NameOperation, nameKey } from './disk-state.js';
import { type History, Versioned } from './history.js';

export class PendingNames {
  readonly #operations: Versioned<readonly NameOperation[]>;

  /** `inherited` is what an earlier boot left pending: it came before everything here. */
  constructor(history: History, inherited: readonly NameOperation[]) {
    const first = inherited.map(({ changes }) => ({ at: 0, changes }));
    this.#operations = new Versioned<readonly NameOperation[]>(history, first);
  }

  /** What was pending just after history entry `count`. */
  at(count: number): readonly NameOperation[] {
    return this.#operations.at(count) ?? [];
  }

  add(at: number, changes: readonly NameChange[]): void {
    this.#operations.set([...this.#operations.current, { at, changes }]);
  }

  /** Operations on a directory up to history entry `startedAt`, and those that must come before. */
  covered(directory: number, startedAt: number): NameOperation[] {
    const covered: NameOperation[] = [];
    const needed = new Set<string>();
    for (const operation of this.#operations.current.toReversed()) {
      if (operation.at > startedAt) continue;
      const { changes } = operation;
      if (!changes.some((c) => c.directory === directory || needed.has(nameKey(c)))) continue;
      for (const change of changes) needed.add(nameKey(change));
      covered.unshift(operation);
    }
    return covered;
  }

  drop(operations: readonly NameOperation[]): void {
    const gone = new Set(operations);
    this.#operations.set(this.#operations.current.filter((operation) => !gone.has(operation)));
  }

  /** Operations with a change that `matches`. */
  having(matches: (change: NameChange) => boolean): NameOperation[] {
    return this.#operations.current.filter(({ changes }) => changes.some(matches));
  }

  clear(): void {
    this.#operations.set([]);
  }
}
