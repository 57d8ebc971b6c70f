/** put, get and miss beside Map and lmdb, 1 M entries of 16 + 100 bytes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { comparePairs, type Load, median, quantile, repeatFor } from '../measure.js';
import type { Row } from '../table.js';
import { perSecond, ratioOf } from '../table.js';
import { scattered } from './keys.js';
import { dash, type KeyValues, lmdb, map, mapOfStrings } from './stores.js';

const COUNT = 1_000_000;
const STEP = 500;
const FILLS = 5;
const HERE = 1;
const NOT_HERE = 2;
const MEMORY_DIR = '/dev/shm';

type Report = (row: Row) => void;

export async function versusMap(_dir: string, report: Report): Promise<void> {
  fills('put, 1 M entries', '>= 2.5 of Map', 2.5, map, report);
  fills('put, keys ready-made', '', undefined, () => mapOfStrings(COUNT), report);
  const ours = filled(dash());
  const theirs = filled(map());
  await reads('getInto', '>= 2 of Map', 2, getting(ours), getting(theirs), theirs.name, report);
  await reads('miss', '>= 5 of Map', 5, missing(ours), missing(theirs), theirs.name, report);
  const ready = filled(mapOfStrings(COUNT));
  await reads('getInto', '', undefined, getting(ours), getting(ready), ready.name, report);
}

export async function versusLmdb(_dir: string, report: Report): Promise<void> {
  const dir = mkdtempSync(join(MEMORY_DIR, 'nendb-bench-'));
  try {
    let files = 0;
    fills('put', '>= 8 of lmdb', 8, () => lmdb(join(dir, `${files++}`)), report);
    const theirs = lmdb(join(dir, 'reads'));
    theirs.batch(() => filled(theirs));
    const ours = filled(dash());
    await reads('getInto', '>= 3 of lmdb', 3, getting(ours), getting(theirs), theirs.name, report);
    await theirs.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Fills new stores in turns; the first of each is for the compiler. */
function fills(
  name: string,
  goal: string,
  atLeast: number | undefined,
  other: () => KeyValues & { batch?: (work: () => void) => void },
  report: Report,
): void {
  fillRate(dash());
  fillRate(other());
  const ours: number[] = [];
  const theirs: number[] = [];
  let reference = '';
  for (let i = 0; i < FILLS; i++) {
    const store = other();
    reference = store.name;
    if (i % 2 === 0) ours.push(fillRate(dash()));
    theirs.push(fillRate(store));
    if (i % 2 === 1) ours.push(fillRate(dash()));
    void store.close();
  }
  const ratios = ours.map((rate, i) => rate / theirs[i]);
  const ratio = median(ratios);
  report({
    name,
    goal,
    measured: perSecond(median(ours)),
    reference: `${perSecond(median(theirs))}, ${reference}`,
    ratio: ratioOf({ ratio, spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)] }),
    met: atLeast === undefined ? undefined : ratio >= atLeast,
  });
}

/** Puts a second into an empty store. */
function fillRate(store: KeyValues & { batch?: (work: () => void) => void }): number {
  const beganMs = performance.now();
  if (store.batch === undefined) filled(store);
  else {
    for (let from = 0; from < COUNT; from += 1000) {
      store.batch(() => {
        for (let i = from; i < from + 1000; i++) store.put(i, HERE);
      });
    }
  }
  return (COUNT / (performance.now() - beganMs)) * 1000;
}

function filled<T extends KeyValues>(store: T): T {
  for (let i = 0; i < COUNT; i++) store.put(i, HERE);
  return store;
}

async function reads(
  name: string,
  goal: string,
  atLeast: number | undefined,
  ours: Load,
  theirs: Load,
  reference: string,
  report: Report,
): Promise<void> {
  const pairs = await comparePairs(ours, theirs);
  report({
    name,
    goal,
    measured: perSecond(pairs.ours),
    reference: `${perSecond(pairs.reference)}, ${reference}`,
    ratio: ratioOf(pairs),
    met: atLeast === undefined ? undefined : pairs.ratio >= atLeast,
  });
}

function getting(store: KeyValues): Load {
  return steps((number) => {
    if (!store.get(number, HERE)) throw new Error(`expected key ${number} in ${store.name}`);
  });
}

function missing(store: KeyValues): Load {
  return steps((number) => {
    if (store.has(number, NOT_HERE)) throw new Error(`expected no key ${number} in ${store.name}`);
  });
}

function steps(operation: (number: number) => void): Load {
  let at = 0;
  return (ms) =>
    repeatFor(ms, STEP, () => {
      for (let i = 0; i < STEP; i++) operation(scattered(at++ % COUNT, COUNT));
    });
}
