/** The hash table beside Map and lmdb: speed, space, what a crash and other threads cost. */
import type { Suite } from '../main.js';
import { readers } from './readers.js';
import { reopen } from './reopen.js';
import { large, load, memory } from './space.js';
import { versusLmdb, versusMap } from './versus.js';

export const suite: Suite = {
  map: versusMap,
  lmdb: versusLmdb,
  memory,
  load,
  large,
  reopen,
  readers,
};
