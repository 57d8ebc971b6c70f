/**
 * The tree beside `classic-level` and `lmdb`: keys of 16 bytes, values of 100, each store by the fastest way of
 * its own API with a cache of 64 MB and a memtable of 16. Nobody syncs but in `synced`. All stores run in
 * turns in this process; reads are from tables, after a reopen.
 */
import type { Suite } from '../main.js';
import { longValues, pauses } from './background.js';
import { large, small } from './reading.js';
import { awaited, fill, synced } from './writing.js';

export const suite: Suite = {
  fill,
  awaited,
  synced,
  'read-small': small,
  'read-large': large,
  pauses,
  'long-values': longValues,
};
