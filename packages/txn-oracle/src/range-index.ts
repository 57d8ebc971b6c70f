/**
 * Which open ranges hold a key, or overlap a range: an interval tree.
 *
 * A treap: a search tree by (lower bound, number), a heap by a random priority. Each node knows the
 * highest upper bound of its subtree, so that a search goes down one path only.
 *
 * Invariants
 *  1. Left of a node is what comes before it by (gte, number), right what comes behind.
 *  2. No child has a higher priority than its parent: the depth is O(log n) whatever the keys.
 *  3. `highest` is the highest `lt` in the subtree; `undefined` is above all.
 *
 * Bounds belong to the nodes and never change. Single-threaded.
 */
import { compareKeys, compareRuns, isBelow } from './key-order.js';

export class RangeNode<Owner> {
  left: RangeNode<Owner> | undefined = undefined;
  right: RangeNode<Owner> | undefined = undefined;
  highest: Uint8Array | undefined;
  priority = 0;
  number = 0;

  /** The range `gte <= key < lt`, not empty; `lt` of `undefined` is the end of all keys. */
  constructor(
    readonly gte: Uint8Array,
    readonly lt: Uint8Array | undefined,
    readonly owner: Owner,
  ) {
    this.highest = lt;
  }
}

type Tree<Owner> = RangeNode<Owner> | undefined;

export class RangeIndex<Owner> {
  size = 0;
  #root: Tree<Owner> = undefined;
  #nextNumber = 0;
  #random: number;

  /** `seed` makes the tree's shape unknown to whoever chooses the keys. */
  constructor(seed: number) {
    this.#random = seed | 1;
  }

  insert(node: RangeNode<Owner>): void {
    node.priority = this.#nextPriority();
    node.number = this.#nextNumber++;
    this.#root = inserted(this.#root, node);
    this.size++;
  }

  /** Removes a node that is in the tree. */
  remove(node: RangeNode<Owner>): void {
    this.#root = removed(this.#root, node);
    node.left = undefined;
    node.right = undefined;
    node.highest = node.lt;
    this.size--;
  }

  /** The owner of some range that holds the key. */
  ownerHolding(key: Uint8Array, from: number, to: number): Owner | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const begins = compareRuns(node.gte, 0, node.gte.length, key, from, to) <= 0;
      if (begins && isBelow(key, from, to, node.lt)) return node.owner;
      const { left } = node;
      if (left !== undefined && isBelow(key, from, to, left.highest)) node = left;
      else node = begins ? node.right : undefined;
    }
    return undefined;
  }

  /** The owner of some range that has a key in common with `gte <= key < lt`, which is not empty. */
  ownerOverlapping(gte: Uint8Array, lt: Uint8Array | undefined): Owner | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const begins = isBelow(node.gte, 0, node.gte.length, lt);
      if (begins && isBelow(gte, 0, gte.length, node.lt)) return node.owner;
      const { left } = node;
      if (left !== undefined && isBelow(gte, 0, gte.length, left.highest)) node = left;
      else node = begins ? node.right : undefined;
    }
    return undefined;
  }

  /** Marsaglia's xorshift32. */
  #nextPriority(): number {
    let next = this.#random;
    next ^= next << 13;
    next ^= next >>> 17;
    next ^= next << 5;
    this.#random = next;
    return next;
  }
}

function inserted<Owner>(tree: Tree<Owner>, node: RangeNode<Owner>): RangeNode<Owner> {
  if (tree === undefined) return node;
  if (node.priority > tree.priority) {
    [node.left, node.right] = split(tree, node);
    return measured(node);
  }
  if (comesBefore(node, tree)) tree.left = inserted(tree.left, node);
  else tree.right = inserted(tree.right, node);
  return measured(tree);
}

function removed<Owner>(tree: Tree<Owner>, node: RangeNode<Owner>): Tree<Owner> {
  if (tree === undefined) {
    throw new Error(`expected range ${node.number} in the index, it is not there`);
  }
  if (tree === node) return joined(tree.left, tree.right);
  if (comesBefore(node, tree)) tree.left = removed(tree.left, node);
  else tree.right = removed(tree.right, node);
  return measured(tree);
}

/** What comes before `at`, and what comes behind it. */
function split<Owner>(tree: Tree<Owner>, at: RangeNode<Owner>): [Tree<Owner>, Tree<Owner>] {
  if (tree === undefined) return [undefined, undefined];
  if (comesBefore(at, tree)) {
    const [before, behind] = split(tree.left, at);
    tree.left = behind;
    return [before, measured(tree)];
  }
  const [before, behind] = split(tree.right, at);
  tree.right = before;
  return [measured(tree), behind];
}

/** One tree of two, all of the first before all of the second. */
function joined<Owner>(first: Tree<Owner>, second: Tree<Owner>): Tree<Owner> {
  if (first === undefined) return second;
  if (second === undefined) return first;
  if (first.priority > second.priority) {
    first.right = joined(first.right, second);
    return measured(first);
  }
  second.left = joined(first, second.left);
  return measured(second);
}

function comesBefore<Owner>(a: RangeNode<Owner>, b: RangeNode<Owner>): boolean {
  const order = compareKeys(a.gte, b.gte);
  return order !== 0 ? order < 0 : a.number < b.number;
}

function measured<Owner>(node: RangeNode<Owner>): RangeNode<Owner> {
  let highest = node.lt;
  if (node.left !== undefined) highest = higher(highest, node.left.highest);
  if (node.right !== undefined) highest = higher(highest, node.right.highest);
  node.highest = highest;
  return node;
}

function higher(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return undefined;
  return compareKeys(a, b) >= 0 ? a : b;
}
