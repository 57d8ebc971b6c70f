/**
 * The simulator is only worth something if it catches what it is there to catch. Bugs are planted
 * around and into a correct little log; each must be found within a bounded number of images, and the
 * log without them must pass every image of every scenario.
 */
import { Coverage, ext4Ordered } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { acknowledgesBeforeSync } from './planted/acknowledges-before-sync.js';
import { AllocatesBeforeChecking } from './planted/allocates-before-checking.js';
import { AppendsToUnsyncedTail } from './planted/appends-to-unsynced-tail.js';
import { closesInFlight } from './planted/closes-in-flight.js';
import { ContinuesAfterBadRecord } from './planted/continues-after-bad-record.js';
import { LeaksDescriptor } from './planted/leaks-descriptor.js';
import { broken, live, survivors } from './planted/life.js';
import { renamesBeforeSync } from './planted/renames-before-sync.js';
import { resumesAtWrongOffset } from './planted/resumes-at-wrong-offset.js';
import { retriesFailedSync } from './planted/retries-failed-sync.js';
import { retriesOnAnotherDescriptor } from './planted/retries-on-another-descriptor.js';
import { reusesBufferInFlight } from './planted/reuses-buffer-in-flight.js';
import { ReusesSequence } from './planted/reuses-sequence.js';
import {
  acknowledgements,
  damage,
  detectors,
  failedSyncThenRestart,
  failing,
  powerCuts,
  type Scenario,
  shortWrites,
} from './planted/scenarios.js';
import { skipsDirectorySync } from './planted/skips-directory-sync.js';
import { skipsFileSync } from './planted/skips-file-sync.js';
import { SkipsPayloadChecksum } from './planted/skips-payload-checksum.js';
import { type Subject, sound, variant, wrapped } from './planted/subject.js';
import { swallowsFullDisk } from './planted/swallows-full-disk.js';
import { SyncsAfterClose } from './planted/syncs-after-close.js';
import { syncsBeforeWriteFinished } from './planted/syncs-before-write-finished.js';
import { TrustsDirectoryOrder } from './planted/trusts-directory-order.js';
import { TrustsLength } from './planted/trusts-length.js';
import { UnlinksOldFirst } from './planted/unlinks-old-first.js';

const IMAGES_TO_CATCH_MAX = 300;

const landedWrite = failing({ op: 'write', error: 'EIO', takesEffect: true });

const bugs: readonly [name: string, subject: Subject, scenario: Scenario][] = [
  ['a file sync that does nothing', wrapped(skipsFileSync), powerCuts()],
  ['a directory sync that does nothing', wrapped(skipsDirectorySync), powerCuts()],
  ['a rename before the sync', wrapped(renamesBeforeSync), powerCuts()],
  ['an acknowledgement before the sync', wrapped(acknowledgesBeforeSync), powerCuts()],
  ['a sync before the write has finished', wrapped(syncsBeforeWriteFinished), powerCuts()],
  ['an unlink before the new file is durable', variant(UnlinksOldFirst), powerCuts()],
  ['trust in the order of a directory', variant(TrustsDirectoryOrder), powerCuts()],
  ['a wrong offset after a short write', wrapped(resumesAtWrongOffset), shortWrites],
  [
    'a retry after a failed sync',
    wrapped(retriesFailedSync),
    failing({ op: 'sync', error: 'EIO' }),
  ],
  [
    'a retry on another descriptor',
    wrapped(retriesOnAnotherDescriptor),
    failing({ op: 'sync', error: 'EIO' }),
  ],
  ['a full disk passed over', wrapped(swallowsFullDisk), failing({ op: 'write', error: 'ENOSPC' })],
  ['a sequence number used again', variant(ReusesSequence), landedWrite],
  [
    'an append to an unsynced tail',
    variant(AppendsToUnsyncedTail),
    failedSyncThenRestart('at the end'),
  ],
  ['an end at a bad record in the middle', variant(ContinuesAfterBadRecord), damage],
  ['an allocation before the check', variant(AllocatesBeforeChecking), damage],
  ['no checksum over the length', variant(TrustsLength), damage],
  ['no checksum over the text', variant(SkipsPayloadChecksum), damage],
  ['a descriptor that is never closed', variant(LeaksDescriptor), detectors],
  ['a sync after close', variant(SyncsAfterClose), detectors],
  ['a close while a read is in flight', wrapped(closesInFlight), detectors],
  ['a buffer used again too early', wrapped(reusesBufferInFlight), detectors],
  ['an early acknowledgement, seen at once', wrapped(acknowledgesBeforeSync), acknowledgements],
  ['no sync, seen at once', wrapped(skipsFileSync), acknowledgements],
];

const scenarios: readonly [name: string, scenario: Scenario][] = [
  ['rule 3: power cuts', powerCuts()],
  ['kills', powerCuts({ kind: 'kill' })],
  ['power cuts of an ordered journal', powerCuts({ profile: ext4Ordered })],
  ['rule 7: short writes', shortWrites],
  ['rule 5: a failed sync, a kill, a restart, a power cut', failedSyncThenRestart('anywhere')],
  ['rules 8, 9 and 10: damage', damage],
  ['detectors', detectors],
  ['acknowledgements', acknowledgements],
];

/** What is found first, and in which image. */
async function search(scenario: Scenario, subject: Subject, imagesMax: number) {
  let images = 0;
  for await (const { wrong, label } of scenario(subject, new Coverage())) {
    images++;
    if (wrong !== undefined) return { images, found: `${wrong}: ${label}` };
    if (images === imagesMax) break;
  }
  return { images, found: undefined };
}

describe('planted bugs are caught', () => {
  test.each(bugs)('%s', async (_, subject, scenario) => {
    const { found, images } = await search(scenario, subject, IMAGES_TO_CATCH_MAX);
    expect(found, `${images} images`).toBeDefined();
  });
});

describe('the log without them', () => {
  test.each(scenarios)('%s', async (_, scenario) => {
    const { found, images } = await search(scenario, sound, Number.POSITIVE_INFINITY);
    expect(found).toBeUndefined();
    expect(images).toBeGreaterThan(0);
  });

  test('rules 4 and 6: any failing operation loses no acknowledged record', async () => {
    const ops = ['write', 'sync', 'create', 'rename', 'syncDir', 'unlink', 'open', 'read'] as const;
    for (const op of ops) {
      for (const takesEffect of op === 'write' || op === 'rename' ? [false, true] : [false]) {
        const failure = { op, error: 'EIO', takesEffect };
        const { found } = await search(failing(failure), sound, Number.POSITIVE_INFINITY);
        expect(found).toBeUndefined();
      }
    }
    for (const syncFailure of ['clean-old', 'partial'] as const) {
      const failure = { op: 'sync', error: 'EIO', syncFailure } as const;
      const { found } = await search(failing(failure), sound, Number.POSITIVE_INFINITY);
      expect(found).toBeUndefined();
    }
  });

  test('rule 15: a power cut during the recovery from a kill loses nothing', async () => {
    const life = await live(sound, { seed: 9, texts: 8, coverage: new Coverage() });
    const hashes = new Set<string>();
    for (const { at, image } of life.sim.crashImages({ kind: 'kill' })) {
      const first = await survivors(sound, image, at);
      expect(broken(life, at, first.records ?? []), image.label).toBeUndefined();
      for (const second of first.machine.crashImages({ subsetsMax: 8, samples: 2, seen: hashes })) {
        const { records, refusal } = await survivors(sound, second.image, at);
        const label = `${image.label}; then ${second.image.label}: ${refusal}`;
        expect(broken(life, at, records ?? []), label).toBeUndefined();
      }
    }
    expect(hashes.size).toBeGreaterThan(300);
  });
});
