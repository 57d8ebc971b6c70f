/**
 * Removes a range of keys.
 *
 * Without a limit and a snapshot it is one range tombstone: one small write, however many keys, all of them or none.
 * Else the keys are looked up and deleted in batches, each atomic by itself.
 */
import { boundsOf, keyAfter } from '../db/key-bounds.js';
import type { Lsm } from '../db/lsm.js';
import { cursorOptions, type LevelRange } from './range.js';

/** Keys of one batch: some 100 KB of record, so that other writers get their turn in between. */
const CLEAR_KEYS_MAX = 4096;
const FIRST_KEY = new Uint8Array(0);

export async function clearRange(tree: Lsm, range: LevelRange): Promise<void> {
  if (range.limit < 0 && (range.snapshot ?? undefined) === undefined) {
    await clearAll(tree, range);
  } else {
    await clearOneByOne(tree, range);
  }
}

async function clearAll(tree: Lsm, range: LevelRange): Promise<void> {
  const asked = { ...cursorOptions(range), reverse: false };
  const { gte = FIRST_KEY, lt } = boundsOf(asked);
  if (lt !== undefined) {
    await tree.deleteRange(gte, lt);
    return;
  }
  const cursor = tree.cursor({ ...asked, reverse: true, limit: 1 });
  let last: Uint8Array | undefined;
  try {
    if (cursor.next()) last = cursor.key;
  } finally {
    cursor.close();
  }
  if (last !== undefined) await tree.deleteRange(gte, keyAfter(last));
}

async function clearOneByOne(tree: Lsm, range: LevelRange): Promise<void> {
  const cursor = tree.cursor({
    ...cursorOptions(range),
    ...(range.limit >= 0 && { limit: range.limit }),
  });
  try {
    let more = true;
    while (more) {
      const batch = tree.batch();
      while (batch.count < CLEAR_KEYS_MAX) {
        more = cursor.next();
        if (!more) break;
        batch.delete(cursor.keyView);
      }
      await batch.write();
    }
  } finally {
    cursor.close();
  }
}
