/** The two indexes of readers, grown large, against lists that are searched from end to end. */
import { describe, expect, it } from 'vitest';
import { Fingerprint } from '../src/fingerprint.js';
import { compareKeys } from '../src/key-order.js';
import { PointIndex } from '../src/point-index.js';
import { RangeIndex, RangeNode } from '../src/range-index.js';
import { seeds } from './seeds.js';

/** Numbers from 0 to below `limit`, the same for the same seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function key(number: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

describe('the range index', () => {
  it.each(seeds)('finds an owner exactly where there is one (%s)', (_name, seed) => {
    const below = dice(seed);
    const index = new RangeIndex<number>(seed);
    let nodes: RangeNode<number>[] = [];
    for (let step = 0; step < 4000; step++) {
      if (below(5) < 3 || nodes.length === 0) {
        const from = below(100_000);
        const lt = below(50) === 0 ? undefined : key(from + 1 + below(60));
        const node = new RangeNode(key(from), lt, step);
        index.insert(node);
        nodes.push(node);
      } else {
        const [gone] = nodes.splice(below(nodes.length), 1);
        index.remove(gone);
      }
      if (step % 500 === 499) nodes = thinned(index, nodes, 40);
      const probe = key(below(100_000));
      const end = below(20) === 0 ? undefined : key(below(100_000) + 1);
      const holding = index.ownerHolding(probe, 0, 4);
      const holds = (node: RangeNode<number>) =>
        compareKeys(node.gte, probe) <= 0 &&
        (node.lt === undefined || compareKeys(probe, node.lt) < 0);
      const overlaps = (node: RangeNode<number>) =>
        (end === undefined || compareKeys(node.gte, end) < 0) &&
        (node.lt === undefined || compareKeys(probe, node.lt) < 0);
      if (holding === undefined) expect(nodes.some(holds)).toBe(false);
      else expect(nodes.find(({ owner }) => owner === holding)).toSatisfy(holds);
      if (end !== undefined && compareKeys(probe, end) >= 0) continue;
      const overlapping = index.ownerOverlapping(probe, end);
      if (overlapping === undefined) expect(nodes.some(overlaps)).toBe(false);
      else expect(nodes.find(({ owner }) => owner === overlapping)).toSatisfy(overlaps);
    }
    expect(index.size).toBe(nodes.length);
    thinned(index, nodes, 0);
    expect(index.size).toBe(0);
    expect(index.ownerOverlapping(key(0), undefined)).toBeUndefined();
  });

  it('stays shallow though the keys come in order', () => {
    const index = new RangeIndex<number>(42);
    const nodes = Array.from({ length: 20_000 }, (_, i) => new RangeNode(key(i), key(i + 1), i));
    for (const node of nodes) index.insert(node);
    const children = new Set(nodes.flatMap(({ left, right }) => [left, right]));
    const roots = nodes.filter((node) => !children.has(node));
    expect(roots).toHaveLength(1);
    const depthOf = (node: RangeNode<number> | undefined): number =>
      node === undefined ? 0 : 1 + Math.max(depthOf(node.left), depthOf(node.right));
    // Random trees of so many nodes are some 35 deep, and hardly ever half as much again.
    expect(depthOf(roots[0])).toBeLessThan(55);
  });

  it('knows when a range is not in it', () => {
    const index = new RangeIndex<number>(1);
    index.insert(new RangeNode(key(1), key(2), 1));
    expect(() => index.remove(new RangeNode(key(1), key(2), 1))).toThrow(/it is not there/);
  });
});

/** Removes all but every `keep`-th range; with 0 all of them. */
function thinned(
  index: RangeIndex<number>,
  nodes: readonly RangeNode<number>[],
  keep: number,
): RangeNode<number>[] {
  return nodes.filter((node, i) => {
    if (keep > 0 && i % keep === 0) return true;
    index.remove(node);
    return false;
  });
}

describe('the point index', () => {
  it.each(seeds)('knows every reader of a key, and of no other (%s)', (_name, seed) => {
    const below = dice(seed);
    const index = new PointIndex<object>();
    const owners = Array.from({ length: 30 }, (_, i) => ({ owner: i }));
    const readers = new Map<string, Map<object, number>>();
    for (let step = 0; step < 10_000; step++) {
      // Low halves meet often, so that keys share buckets and differ in the high half alone.
      const [low, high] = [below(500) - 250, below(40) - 20];
      const name = `${low},${high}`;
      const rows = readers.get(name) ?? new Map<object, number>();
      readers.set(name, rows);
      const owner = owners[below(owners.length)];
      const row = rows.get(owner);
      if (row === undefined) {
        const added = index.add(low, high, owner);
        expect(added).toBeGreaterThan(0);
        rows.set(owner, added);
      } else {
        index.remove(row);
        rows.delete(owner);
      }
      const found = index.readerOf(low, high);
      if (found === undefined) expect(rows.size).toBe(0);
      else expect(rows.has(found)).toBe(true);
    }
    let left = 0;
    for (const rows of readers.values()) left += rows.size;
    expect(index.size).toBe(left);
    for (const rows of readers.values()) for (const row of rows.values()) index.remove(row);
    expect(index.size).toBe(0);
    for (const name of readers.keys()) {
      const [low, high] = name.split(',').map(Number);
      expect(index.readerOf(low, high)).toBeUndefined();
    }
  });

  it('adds one reader once, as long as few others have come since', () => {
    const index = new PointIndex<object>();
    const [mine, other] = [{ mine: true }, { mine: false }];
    expect(index.add(1, 2, mine)).toBeGreaterThan(0);
    expect(index.add(1, 2, other)).toBeGreaterThan(0);
    expect(index.add(1, 2, mine)).toBe(0);
    expect(index.size).toBe(2);
  });
});

describe('fingerprints', () => {
  it('of many similar keys are all different, and so are nearly all of their halves', () => {
    const fingerprint = new Fingerprint(7);
    const whole = new Set<string>();
    const lows = new Set<number>();
    const highs = new Set<number>();
    let count = 0;
    const take = (bytes: Uint8Array) => {
      fingerprint.of(bytes, 0, bytes.length);
      whole.add(`${fingerprint.low},${fingerprint.high}`);
      lows.add(fingerprint.low);
      highs.add(fingerprint.high);
      count++;
    };
    for (let i = 0; i < 60_000; i++) take(key(i));
    for (let i = 0; i < 60_000; i++) take(Buffer.from(`user:${i}`));
    // Lengths alone, and single bits at every place, in keys of zeros.
    for (let length = 0; length < 200; length++) {
      if (length !== 4) take(new Uint8Array(length));
      for (let bit = 0; bit < length * 8; bit += 3) {
        if (length === 4) continue;
        const bytes = new Uint8Array(length);
        bytes[bit >> 3] = 1 << (bit & 7);
        take(bytes);
      }
    }
    expect(whole.size).toBe(count);
    // Of 170,000 random numbers of 32 bits about three pairs are alike.
    expect(count - lows.size).toBeLessThan(20);
    expect(count - highs.size).toBeLessThan(20);
  });

  it('depend on the seed, and on the bytes between `from` and `to` alone', () => {
    const [one, two] = [new Fingerprint(1), new Fingerprint(2)];
    one.of(Buffer.from('xkeyx'), 1, 4);
    two.of(Buffer.from('key'), 0, 3);
    expect(one.low).not.toBe(two.low);
    const { low, high } = one;
    one.of(Buffer.from('key'), 0, 3);
    expect([one.low, one.high]).toEqual([low, high]);
  });
});
