/**
 * The crash machine is worth something only if it finds what is wrong: bugs are planted, one at a
 * time, and each must be found.
 */
import { Region } from '@nendb/pmem';
import { afterEach, describe, expect, it } from 'vitest';
import { SPACE, TABLE } from '../../src/format.js';
import { RecordLog } from '../../src/log/record-log.js';
import { Intent } from '../../src/space/intent.js';
import { Space } from '../../src/space/space.js';
import { TableCore } from '../../src/table/core.js';
import { HISTORIES, runHistory } from './history.js';

const undo: (() => void)[] = [];

/** Replaces a method of a class until the end of the test. */
function plant<T extends object, K extends keyof T>(type: T, name: K, bug: (real: T[K]) => T[K]) {
  const real = type[name];
  type[name] = bug(real);
  undo.push(() => {
    type[name] = real;
  });
}

/** Lets `persist` forget the calls that `which` names by their length. */
function forgetPersist(which: (bytes: number) => boolean): void {
  plant(
    Region.prototype,
    'persist',
    (real) =>
      function (this: Region, offset, bytes) {
        if (!which(bytes)) real.call(this, offset, bytes);
      },
  );
}

/** Replaces words without writing down first what is replaced by what. */
function replaceUnlogged(): void {
  plant(
    Intent.prototype,
    'replace',
    (real) =>
      function (this: Intent, unit, word, count, low, high, old) {
        const persist = Region.prototype.persist;
        // What is written down before the words themselves never reaches the memory.
        let calls = 0;
        Region.prototype.persist = function (this: Region, offset, bytes) {
          if (calls++ > 0) persist.call(this, offset, bytes);
        };
        try {
          real.call(this, unit, word, count, low, high, old);
        } finally {
          Region.prototype.persist = persist;
        }
      },
  );
}

const GROWTH = [1, 2];
const SMALL = [0, 3];

const BUGS: readonly { name: string; histories: readonly number[]; plant: () => void }[] = [
  {
    name: 'a record is not written back before a slot names it',
    histories: SMALL,
    plant: () => plant(RecordLog.prototype, 'persist', () => () => {}),
  },
  {
    name: 'a bucket is not written back when an entry comes',
    histories: SMALL,
    plant: () => forgetPersist((bytes) => bytes === 64),
  },
  {
    name: 'a slot of the second line is not written back before its bit',
    histories: SMALL,
    plant: () => forgetPersist((bytes) => bytes === 8),
  },
  {
    name: 'a slot is not written back when its record changes',
    histories: SMALL,
    plant: () => forgetPersist((bytes) => bytes === 4),
  },
  {
    name: 'nothing waits for what it has flushed',
    histories: SMALL,
    plant: () => plant(Region.prototype, 'drain', () => () => {}),
  },
  {
    name: 'a segment is named before it is written back',
    histories: GROWTH,
    plant: () => forgetPersist((bytes) => bytes >= 512 && bytes % 128 === 0 && bytes !== 2048),
  },
  {
    name: 'a replacement is not durable before it is made',
    histories: GROWTH,
    plant: replaceUnlogged,
  },
  {
    name: 'an interrupted replacement is not finished',
    histories: GROWTH,
    plant: () => plant(Intent.prototype, 'recover', () => () => {}),
  },
  {
    name: 'segments are not repaired after a crash',
    histories: [1],
    plant: () =>
      plant(
        TableCore.prototype,
        'tryBind',
        (real) =>
          function (this: TableCore, unit) {
            const bound = real.call(this, unit);
            this.lazy = false;
            return bound;
          },
      ),
  },
  {
    name: 'entries are not counted anew after a crash',
    histories: SMALL,
    plant: () =>
      plant(
        TableCore.prototype,
        'setHeaderWord',
        (real) =>
          function (this: TableCore, word, value) {
            if (word !== TABLE.count || value !== 0) real.call(this, word, value);
          },
      ),
  },
  {
    name: 'the end of the open chunk is not looked for',
    histories: SMALL,
    plant: () =>
      plant(
        RecordLog.prototype,
        'load',
        (real) =>
          function (this: RecordLog) {
            real.call(this, false);
          },
      ),
  },
  {
    name: 'crashes are not counted',
    histories: SMALL,
    plant: () =>
      plant(
        Space.prototype,
        'word',
        (real) =>
          function (this: Space, word) {
            return word === SPACE.crashes ? 1 : real.call(this, word);
          },
      ),
  },
];

describe('a planted bug is found', () => {
  afterEach(() => {
    for (const restore of undo.splice(0)) restore();
  });

  for (const bug of BUGS) {
    it(bug.name, () => {
      bug.plant();
      expect(bug.histories.some((history) => fails(history))).toBe(true);
    }, 120_000);
  }
});

/** Whether some image of a history is wrong with the bug. */
function fails(history: number): boolean {
  for (let seed = 1; seed <= 3; seed++) {
    const options = { samples: 4, againEvery: 40, failuresMax: 1 };
    if (runHistory(HISTORIES[history], seed, options).failures.length > 0) return true;
  }
  return false;
}
