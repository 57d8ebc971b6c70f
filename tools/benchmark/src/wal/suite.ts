/**
 * The log beside the bare disk and its peers. Each case names its goal; both sides of a ratio run
 * in turns in this process.
 */
import { Wal } from '@nendb/wal';
import type { Suite } from '../main.js';
import { comparePairs } from '../measure.js';
import { perSecond, type Row, ratioOf } from '../table.js';
import { batch, manyWriters, oneWriter, scaling } from './durable.js';
import { openPeers } from './peers.js';
import { reading } from './reading.js';
import { KB } from './records.js';
import { appendSync, inFlight, overhead, rotation } from './unsynced.js';
import { writers } from './writers.js';

export const suite: Suite = {
  'one-writer': oneWriter,
  'many-writers': manyWriters,
  scaling,
  batch,
  'in-flight': inFlight,
  'append-sync': appendSync,
  rotation,
  overhead,
  reading,
  peers,
};

async function peers(dir: string, report: (row: Row) => void): Promise<void> {
  const { wal } = await Wal.open({ dir: `${dir}/beside-peers`, sync: 'always' });
  for (const peer of await openPeers(dir)) {
    for (const count of [1, 64]) {
      const pairs = await comparePairs(writers(wal, count, KB), peer.load(count, KB), { pairs: 9 });
      report({
        name: `peer: ${peer.name}, ${count} writer${count > 1 ? 's' : ''}`,
        goal: '',
        measured: perSecond(pairs.ours),
        reference: perSecond(pairs.reference),
        ratio: ratioOf(pairs),
      });
    }
    await peer.close();
  }
  await wal.close();
}
