/**
 * Who may know whom. Nothing imports upward; sideways only where it is listed here.
 *
 * Keys are folders, values the packages that they may depend on. A package that is not in the table
 * has no place in the house yet: it is given one here first. Tools may use everything and are used
 * by nothing.
 */
const FLOOR_0_TO_2_BUT_RESP = [
  'codec',
  'vfs',
  'txn-oracle',
  'wal',
  'snapshot',
  'pmem',
  'dash-hash',
  'lsm',
  'graph',
];

export interface Layer {
  /** Packages know lower floors only, and of their own floor what is listed. */
  floor: number;
  mayKnow: readonly string[];
}

export const LAYERS: Readonly<Record<string, Layer>> = {
  'packages/codec': { floor: 0, mayKnow: [] },
  'packages/vfs': { floor: 0, mayKnow: [] },
  'packages/resp': { floor: 0, mayKnow: [] },
  'packages/txn-oracle': { floor: 0, mayKnow: [] },
  'packages/wal': { floor: 1, mayKnow: ['vfs', 'codec'] },
  'packages/snapshot': { floor: 1, mayKnow: ['vfs', 'codec'] },
  'packages/pmem': { floor: 1, mayKnow: ['vfs'] },
  'packages/dash-hash': { floor: 2, mayKnow: ['pmem'] },
  'packages/lsm': { floor: 2, mayKnow: ['vfs', 'codec', 'wal', 'txn-oracle'] },
  'packages/graph': { floor: 2, mayKnow: ['pmem', 'dash-hash'] },
  'packages/engine': { floor: 3, mayKnow: FLOOR_0_TO_2_BUT_RESP },
  'packages/commands': { floor: 4, mayKnow: ['engine', 'resp'] },
  'packages/cluster': { floor: 4, mayKnow: ['engine', 'wal', 'vfs'] },
  'packages/cli': {
    floor: 5,
    mayKnow: ['commands', 'engine', 'resp', 'wal', 'snapshot', 'lsm', 'dash-hash', 'vfs'],
  },
  'apps/server': { floor: 6, mayKnow: ['commands', 'engine', 'resp', 'cluster'] },
  'apps/cli': { floor: 7, mayKnow: ['cli', 'server'] },
};

/** The prefix of the names of our own packages. */
export const SCOPE = '@nendb/';
