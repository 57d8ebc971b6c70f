/**
 * Whether a history of committed transactions is serializable: its graph of dependencies has no cycle.
 *
 *     wr   T wrote the version that U read           T before U
 *     ww   U's version of a key follows T's          T before U
 *     rw   U's version follows the one that T read   T before U ("anti-dependency")
 *
 * A range read counts as a read of every key that might have been in it, missing ones included, so
 * that phantoms are anti-dependencies like others.
 *
 * Source: A. Adya, "Weak Consistency" (1999), chapter 3: PL-3 forbids cycles of these edges.
 */

export interface Committed {
  id: number;
  /** Key -> id of the transaction that wrote the version read, 0 for none. */
  reads: ReadonlyMap<string, number>;
  /** Key -> timestamp of the version written. */
  writes: ReadonlyMap<string, number>;
}

export interface History {
  committed: Committed[];
}

/** The ids of transactions that depend on each other in a circle, or `undefined`. */
export function findCycle(history: History): number[] | undefined {
  const edges = dependencies(history);
  const done = new Set<number>();
  const path: number[] = [];
  const visit = (id: number): number[] | undefined => {
    const seenAt = path.indexOf(id);
    if (seenAt >= 0) return path.slice(seenAt);
    if (done.has(id)) return undefined;
    path.push(id);
    for (const next of edges.get(id) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(id);
    return undefined;
  };
  for (const { id } of history.committed) {
    const cycle = visit(id);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Transaction -> those that come after it. */
function dependencies({ committed }: History): Map<number, Set<number>> {
  const edges = new Map<number, Set<number>>();
  const add = (before: number, after: number) => {
    if (before === after || before === 0) return;
    const known = edges.get(before) ?? new Set();
    edges.set(before, known.add(after));
  };
  const writersOf = versionOrder(committed);
  for (const writers of writersOf.values()) {
    for (let i = 1; i < writers.length; i++) add(writers[i - 1], writers[i]);
  }
  for (const { id, reads } of committed) {
    for (const [key, writer] of reads) {
      const writers = writersOf.get(key) ?? [];
      add(writer, id);
      const next = writers[writer === 0 ? 0 : writers.indexOf(writer) + 1];
      if (next !== undefined) add(id, next);
    }
  }
  return edges;
}

/** Key -> ids of its writers, in the order of their versions. */
function versionOrder(committed: readonly Committed[]): Map<string, number[]> {
  const versions = new Map<string, { id: number; timestamp: number }[]>();
  for (const { id, writes } of committed) {
    for (const [key, timestamp] of writes) {
      versions.set(key, [...(versions.get(key) ?? []), { id, timestamp }]);
    }
  }
  return new Map(
    [...versions].map(([key, all]) => [
      key,
      all.sort((a, b) => a.timestamp - b.timestamp).map(({ id }) => id),
    ]),
  );
}
