/** When a retired block is freed, and what a guard refuses. */
import { EPOCH_SLOTS_MAX, Epochs, Region } from '@nendb/pmem';
import { describe, expect, test } from 'vitest';
import { EpochSlots } from '../../src/epochs/epoch-slots.js';

const BYTES = 4096;

function setUp() {
  const region = Region.heap(1024 * 1024);
  return { region, epochs: Epochs.create(region) };
}

function retireOne({ region, epochs }: ReturnType<typeof setUp>): number {
  const offset = region.alloc(BYTES, { into: region.rootWord(0) });
  region.setRoot(0, 0);
  epochs.retire(offset, BYTES);
  return offset;
}

describe('a retired block', () => {
  test('is freed two epochs later where nobody reads', () => {
    const { region, epochs } = setUp();
    retireOne({ region, epochs });
    expect(epochs.tryAdvance()).toBe(true);
    expect(region.stats.blocks).toBe(1);
    expect(epochs.stats).toMatchObject({ retiredBlocks: 1, retiredBytes: BYTES });
    expect(epochs.reclaim()).toBe(1);
    expect(region.stats.blocks).toBe(0);
    expect(epochs.stats).toMatchObject({ epoch: 2, retiredBlocks: 0, retiredBytes: 0 });
  });

  test('stays while a reader that came before is inside its guard', () => {
    const { region, epochs } = setUp();
    const reader = epochs.register();
    reader.enter();
    retireOne({ region, epochs });
    for (let i = 0; i < 10; i++) expect(epochs.reclaim()).toBe(0);
    expect(epochs.stats).toMatchObject({ readers: 1, activeReaders: 1 });
    reader.exit();
    expect(epochs.reclaim()).toBe(1);
  });

  test('stays while a reader that came one epoch later is inside its guard', () => {
    const { region, epochs } = setUp();
    const reader = epochs.register();
    const offset = retireOne({ region, epochs });
    epochs.tryAdvance();
    reader.enter();
    retireOne({ region, epochs });
    expect(epochs.reclaim()).toBe(1);
    expect(() => region.sizeOf(offset)).toThrow();
    expect(region.stats.blocks).toBe(1);
    reader.exit();
    expect(epochs.reclaim()).toBe(1);
  });

  test('does not wait for readers that come and go', () => {
    const { region, epochs } = setUp();
    const readers = [epochs.register(), epochs.register(), epochs.register()];
    let freed = 0;
    for (let round = 0; round < 200; round++) {
      const reader = readers[round % 3];
      reader.enter();
      retireOne({ region, epochs });
      reader.exit();
      freed += epochs.reclaim();
    }
    expect(freed).toBe(200);
  });

  test('belongs to nobody from then on, so that a crash gives it back', () => {
    const { region, epochs } = setUp();
    retireOne({ region, epochs });
    expect(region.verify()).toMatchObject({ ok: true, pendingBlocks: 1, ownedBlocks: 0 });
  });

  test('must be one, of that size', () => {
    const { region, epochs } = setUp();
    const offset = region.alloc(BYTES);
    expect(() => epochs.retire(offset, BYTES + 1)).toThrow(
      expect.objectContaining({ code: 'PMEM_BAD_ADDRESS' }),
    );
    expect(() => epochs.retire(offset + 64, BYTES)).toThrow(
      expect.objectContaining({ code: 'PMEM_BAD_ADDRESS' }),
    );
  });

  test('is freed in steps as small as one asks for', () => {
    const { region, epochs } = setUp();
    for (let i = 0; i < 100; i++) retireOne({ region, epochs });
    expect(epochs.reclaim(30)).toBe(30);
    expect(epochs.stats.retiredBlocks).toBe(70);
    expect(epochs.reclaim()).toBe(64);
    expect(epochs.reclaim()).toBe(6);
    expect(epochs.reclaim()).toBe(0);
  });

  test('and thousands of them in their order, actions among them', () => {
    const { region, epochs } = setUp();
    const ran: number[] = [];
    for (let i = 0; i < 5000; i++) {
      if (i % 5 === 0) epochs.defer(() => ran.push(i), 10);
      else retireOne({ region, epochs });
      if (i % 7 === 0) epochs.reclaim(20);
    }
    while (epochs.reclaim(1000) > 0) expect(region.verify().ok).toBe(true);
    expect(ran).toEqual(Array.from({ length: 1000 }, (_, i) => i * 5));
    expect(region.stats.blocks).toBe(0);
    expect(epochs.stats.retiredBytes).toBe(0);
  });
});

describe('epochs', () => {
  test('wrap without freeing early', () => {
    const slots = new EpochSlots();
    new Int32Array(slots.buffer)[0] = 0x3fffffff;
    const reader = slots.claim(1);
    slots.announce(reader);
    const tag = slots.epoch;
    expect(slots.tryAdvance()).toBe(true);
    expect(slots.epoch).toBe(0);
    expect(slots.isPast(tag)).toBe(false);
    expect(slots.tryAdvance()).toBe(false);
    slots.idle(reader);
    expect(slots.tryAdvance()).toBe(true);
    expect(slots.isPast(tag)).toBe(true);
  });

  test('have a bounded number of readers, and places are given again', () => {
    const { epochs } = setUp();
    const readers = Array.from({ length: EPOCH_SLOTS_MAX }, () => epochs.register());
    expect(() => epochs.register()).toThrow(expect.objectContaining({ code: 'PMEM_EPOCH_SLOTS' }));
    readers[17].release();
    readers[17].release();
    epochs.register().enter();
    expect(epochs.stats).toMatchObject({ readers: EPOCH_SLOTS_MAX, activeReaders: 1 });
  });
});

describe('a guard', () => {
  test('nests: the outermost counts', () => {
    const { region, epochs } = setUp();
    const reader = epochs.register();
    reader.enter();
    reader.run(() => reader.run(() => retireOne({ region, epochs })));
    expect(epochs.reclaim()).toBe(0);
    reader.exit();
    expect(epochs.reclaim()).toBe(1);
  });

  test('is left when the work throws', () => {
    const { epochs } = setUp();
    const reader = epochs.register();
    expect(() =>
      reader.run(() => {
        throw new Error('lost');
      }),
    ).toThrow('lost');
    expect(epochs.stats.activeReaders).toBe(0);
    expect(reader.run(() => 7)).toBe(7);
  });

  test('never lasts over an await', () => {
    const { epochs } = setUp();
    const reader = epochs.register();
    expect(() => reader.run(async () => 1)).toThrow(
      expect.objectContaining({ code: 'PMEM_EPOCH_MISUSE' }),
    );
    expect(epochs.stats.activeReaders).toBe(0);
  });

  test.each([
    ['left without being entered', (reader: ReturnType<Epochs['register']>) => reader.exit()],
    [
      'open while its reader is released',
      (reader: ReturnType<Epochs['register']>) => {
        reader.enter();
        reader.release();
      },
    ],
    [
      'entered after its reader was released',
      (reader: ReturnType<Epochs['register']>) => {
        reader.release();
        reader.enter();
      },
    ],
  ])('must not be %s', (_what, misuse) => {
    const reader = setUp().epochs.register();
    expect(() => misuse(reader)).toThrow(expect.objectContaining({ code: 'PMEM_EPOCH_MISUSE' }));
  });
});
