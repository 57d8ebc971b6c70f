import { lsn } from '@nendb/codec';
import { Snapshot, type SnapshotWriteOptions } from '@nendb/snapshot';
import type { Vfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_PAYLOAD_BYTES_MAX, imageBytes } from '../src/format.js';
import { BLOCKS_IN_FLIGHT_MAX, FREE_BYTES_RESERVE, SYNC_STEP_BYTES } from '../src/limits.js';
import { bytesOf, codeOf, contents, DIR, loadedNumber, NEWEST, refusal, write } from './fixture.js';
import { seeds } from './seeds.js';

async function machine(work: (sim: SimVfs) => Promise<void>): Promise<void> {
  const sim = new SimVfs();
  await sim.run(() => work(sim));
  sim.assertClean();
}

/** Expects image 1 to be there alone, as if nothing had been tried since. */
async function expectOnlyFirst(sim: SimVfs): Promise<void> {
  expect(await sim.readdir(DIR)).toEqual(['nendb.snapshot']);
  expect(await loadedNumber(sim)).toBe(1);
}

describe('the bytes of an image', () => {
  it.each(seeds)('are those of its chunks, however they are cut (%s)', async (_name, seed) => {
    const edge = BLOCK_PAYLOAD_BYTES_MAX;
    const size = fc.oneof(fc.nat(100), fc.constantFrom(0, edge - 1, edge, edge + 1, 2 * edge + 5));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 4 }), fc.boolean(), async (sizes, lazily) => {
        const chunks = sizes.map((bytes, i) => contents(i + 1, bytes));
        const sim = new SimVfs({ record: false, seed });
        await sim.run(async () => {
          const info = await write(sim, 1, { chunks: lazily ? asAsync(chunks) : chunks });
          const all = Buffer.concat(chunks);
          expect(info).toMatchObject({
            payloadBytes: all.length,
            fileBytes: imageBytes(all.length),
          });
          expect((await sim.stat(NEWEST))?.size).toBe(info.fileBytes);
          const image = await Snapshot.load(DIR, { vfs: sim });
          expect(image?.info).toEqual(info);
          expect(all.equals(await bytesOf(image!))).toBe(true);
        });
      }),
      { seed, numRuns: 8 },
    );
  });

  it('may be reused by the caller as soon as the next chunk is asked for', () =>
    machine(async (sim) => {
      const one = new Uint8Array(10);
      function* reusing() {
        for (let i = 0; i < 5; i++) yield one.fill(i);
      }
      await write(sim, 1, { chunks: reusing() });
      const image = await Snapshot.load(DIR, { vfs: sim });
      expect([...(await bytesOf(image!))]).toEqual(
        [0, 1, 2, 3, 4].flatMap((i) => Array(10).fill(i)),
      );
    }));

  it('the header comes back at its limits', () =>
    machine(async (sim) => {
      const max = Number.MAX_SAFE_INTEGER;
      await write(sim, 1, { lsn: lsn(0), epoch: 0, databaseTimeMs: 0 });
      await write(sim, 1, { lsn: lsn(max), epoch: max, databaseTimeMs: max });
      const infos = await Snapshot.list(DIR, { vfs: sim });
      expect(infos.map(({ header }) => [header.lsn, header.epoch, header.databaseTimeMs])).toEqual([
        [max, max, max],
        [0, 0, 0],
      ]);
    }));
});

describe('publishing', () => {
  it('R3: beforePublish is called when the image is durable under its temporary name, before the final one exists', () =>
    machine(async (sim) => {
      await write(sim, 1);
      let calls = 0;
      await write(sim, 2, {
        beforePublish: async () => {
          calls++;
          const names = await sim.readdir(DIR);
          const temporary = names.find((name) => name.endsWith('.tmp'));
          expect(names).toHaveLength(2);
          expect(await loadedNumber(sim)).toBe(1);
          // The name is not durable yet, and need not be; the bytes are.
          await sim.syncDir(DIR);
          sim.assertDurable(`${DIR}/${temporary}`);
        },
      });
      expect(calls).toBe(1);
      expect(await loadedNumber(sim)).toBe(2);
    }));

  it('R3: an image whose beforePublish rejects never gets its final name', () =>
    machine(async (sim) => {
      await write(sim, 1);
      const broken = new Error('the log is poisoned');
      const failing = write(sim, 2, { beforePublish: () => Promise.reject(broken) });
      await expect(failing).rejects.toBe(broken);
      await expectOnlyFirst(sim);
    }));

  it('is durable when it resolves', () =>
    machine(async (sim) => {
      await Snapshot.write('/a/b/c', { ...options(1), vfs: sim });
      sim.assertDurable('/a/b/c/nendb.snapshot');
    }));
});

describe('the bulk of the writing', () => {
  const big = 5 * BLOCK_PAYLOAD_BYTES_MAX + 1000;

  it('R8: is synced in steps of 256 KiB', async () => {
    const sim = new SimVfs();
    await sim.run(() => write(sim, 1, { chunks: [contents(1, big)] }));
    let unsynced = 0;
    let most = 0;
    for (const { kind, path, detail } of sim.changes) {
      if (!path.endsWith('.tmp')) continue;
      if (kind === 'sync') unsynced = 0;
      if (kind === 'write') unsynced += Number(/^\d+/.exec(detail)?.[0]);
      most = Math.max(most, unsynced);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(2 * SYNC_STEP_BYTES);
    expect(sim.changes.filter(({ kind }) => kind === 'sync').length).toBeGreaterThanOrEqual(6);
  });

  it('R8: happens in the task, not on the core thread', () =>
    machine(async (sim) => {
      await write(sim, 1);
      const used: string[] = [];
      const core = new Proxy<Vfs>(sim, {
        get(target, name) {
          used.push(String(name));
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      await write(core, 2, { chunks: [contents(2, big)] });
      expect(used.filter((name) => /^open|Sync$/.test(name))).toEqual([]);
      expect(used).toContain('executor');
    }));

  it('never runs far ahead of the disk', () =>
    machine(async (sim) => {
      let given = 0;
      let written = 0;
      let most = 0;
      function* source() {
        for (let i = 0; i < 20; i++) {
          given += BLOCK_PAYLOAD_BYTES_MAX;
          yield contents(i, BLOCK_PAYLOAD_BYTES_MAX);
          most = Math.max(most, given - written);
        }
      }
      const seen: number[] = [];
      await write(sim, 1, {
        chunks: source(),
        onProgress: (bytes) => {
          written = bytes;
          seen.push(bytes);
        },
      });
      expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * BLOCK_PAYLOAD_BYTES_MAX));
      expect(most).toBeLessThanOrEqual((BLOCKS_IN_FLIGHT_MAX + 2) * BLOCK_PAYLOAD_BYTES_MAX);
    }));
});

describe('an abandoned image', () => {
  const two = [contents(2, BLOCK_PAYLOAD_BYTES_MAX), contents(2, BLOCK_PAYLOAD_BYTES_MAX)];

  it('leaves the old one when it is aborted: before, between blocks, while publishing', () =>
    machine(async (sim) => {
      await write(sim, 1);
      expect(await codeOf(write(sim, 2, { signal: AbortSignal.abort() }))).toBe('SNAPSHOT_ABORTED');
      const during = new AbortController();
      const onProgress = () => during.abort(new Error('shutting down'));
      const error = await refusal(
        write(sim, 2, { chunks: two, onProgress, signal: during.signal }),
      );
      expect(error.code).toBe('SNAPSHOT_ABORTED');
      expect(error.cause).toEqual(new Error('shutting down'));
      const last = new AbortController();
      const beforePublish = async () => last.abort();
      expect(await codeOf(write(sim, 2, { beforePublish, signal: last.signal }))).toBe(
        'SNAPSHOT_ABORTED',
      );
      await expectOnlyFirst(sim);
    }));

  it('does not wait for a source that hangs, and lets go of it', () =>
    machine(async (sim) => {
      await write(sim, 1);
      const abort = new AbortController();
      let returned = 0;
      const hanging: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next() {
            sim.timers.after(50, () => abort.abort());
            return new Promise(() => undefined);
          },
          async return() {
            returned++;
            return { done: true, value: undefined };
          },
        }),
      };
      expect(await codeOf(write(sim, 2, { chunks: hanging, signal: abort.signal }))).toBe(
        'SNAPSHOT_ABORTED',
      );
      expect(returned).toBe(1);
      await expectOnlyFirst(sim);
    }));

  it('passes on what its source and its listener throw', () =>
    machine(async (sim) => {
      await write(sim, 1);
      const broken = new Error('the store has no more');
      async function* failing() {
        yield contents(2);
        throw broken;
      }
      await expect(write(sim, 2, { chunks: failing() })).rejects.toBe(broken);
      const onProgress = () => {
        throw broken;
      };
      await expect(write(sim, 2, { chunks: two, onProgress })).rejects.toBe(broken);
      await expectOnlyFirst(sim);
    }));

  it('tells its source, which can release what it holds', () =>
    machine(async (sim) => {
      await write(sim, 1);
      let released = 0;
      function* holding() {
        try {
          for (;;) yield contents(2, BLOCK_PAYLOAD_BYTES_MAX);
        } finally {
          released++;
        }
      }
      sim.faults.failAt({ op: 'write', nth: 4, error: 'EIO' });
      expect(await codeOf(write(sim, 2, { chunks: holding() }))).toBe('SNAPSHOT_IO');
      expect(released).toBe(1);
      sim.faults.clear();
      await expectOnlyFirst(sim);
    }));
});

describe('free space', () => {
  it('is checked before anything is written', () =>
    machine(async (sim) => {
      await write(sim, 1);
      sim.faults.diskBytesMax = 2 * FREE_BYTES_RESERVE;
      const before = sim.counts.create;
      const error = await refusal(write(sim, 2, { bytesExpected: 2 * FREE_BYTES_RESERVE }));
      expect(error.code).toBe('SNAPSHOT_NO_SPACE');
      expect(error.message).toMatch(
        /expected \d+ bytes free in \/data for an image, got \d+: make room/,
      );
      expect(sim.counts.create).toBe(before);
      await write(sim, 2, { bytesExpected: 1000 });
      expect(await loadedNumber(sim)).toBe(2);
    }));

  it('is asked for as much as the newest image holds, where nothing else is said', () =>
    machine(async (sim) => {
      const bytes = 2 * BLOCK_PAYLOAD_BYTES_MAX;
      await write(sim, 1, { chunks: [contents(1, bytes)] });
      sim.faults.diskBytesMax = imageBytes(bytes) + FREE_BYTES_RESERVE + bytes / 2;
      expect(await codeOf(write(sim, 2))).toBe('SNAPSHOT_NO_SPACE');
      await write(sim, 2, { bytesExpected: 40 });
    }));
});

describe('options', () => {
  it.each<[string, Partial<Record<keyof SnapshotWriteOptions, unknown>>]>([
    ['lsn', { lsn: -1 }],
    ['lsn', { lsn: 2 ** 53 }],
    ['epoch', { epoch: 0.5 }],
    ['databaseTimeMs', { databaseTimeMs: Number.NaN }],
    ['uuid', { uuid: new Uint8Array(15) }],
    ['uuid', { uuid: 'text' }],
    ['bytesExpected', { bytesExpected: -5 }],
    ['chunks', { chunks: ['text'] }],
    ['chunks', { chunks: undefined }],
    ['chunks', { chunks: null }],
    ['chunks', { chunks: 'text' }],
    ['chunks', { chunks: async function* () {} }],
    ['chunks', { chunks: {} }],
    ['signal', { signal: {} as never }],
    ['onProgress', { onProgress: true as never }],
    ['beforePublish', { beforePublish: {} as never }],
    ['keeep', { keeep: 3 } as never],
    ['vfs', { vfs: 5 as never }],
    ['compression', { compression: 'zip' }],
  ])('a wrong %s is refused before anything is published', (name, wrong) =>
    machine(async (sim) => {
      const error = await refusal(write(sim, 1, wrong as Partial<SnapshotWriteOptions>));
      expect(error.code).toBe('SNAPSHOT_BAD_OPTION');
      expect(error.message).toContain(name);
      expect(await loadedNumber(sim)).toBe(0);
    }),
  );

  it('a wrong uuid is refused on loading', () =>
    machine(async (sim) => {
      const loading = Snapshot.load(DIR, { vfs: sim, uuid: new Uint8Array(3) });
      expect(await codeOf(loading)).toBe('SNAPSHOT_BAD_OPTION');
    }));

  it('an option that is none is refused wherever it is given', () =>
    machine(async (vfs) => {
      const none = (value: object | null | number) => value as never;
      for (const look of ['load', 'list', 'inspect', 'verify'] as const) {
        for (const wrong of [none({ vfs, keys: 1 }), none({ vfs: 1 }), none(null), none(5)]) {
          expect(await codeOf(Snapshot[look](DIR, wrong)), look).toBe('SNAPSHOT_BAD_OPTION');
        }
        expect(await codeOf(Snapshot[look](none(5), { vfs })), look).toBe('SNAPSHOT_BAD_OPTION');
      }
      expect(await codeOf(Snapshot.write(DIR, none(null)))).toBe('SNAPSHOT_BAD_OPTION');
      expect(await codeOf(Snapshot.write(none(5), options(1)))).toBe('SNAPSHOT_BAD_OPTION');
    }));

  it('prints its LSN as a decimal string and its uuid as text, and stays plain data', () =>
    machine(async (vfs) => {
      const printed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      const text = { lsn: '10', uuid: '10111213-1415-1617-1819-1a1b1c1d1e1f', epoch: 1 };
      expect(printed(await write(vfs, 1))).toMatchObject({ header: text });
      const image = await Snapshot.load(DIR, { vfs });
      expect(printed(image)).toMatchObject({ header: text, info: { header: text } });
      expect(printed(await Snapshot.list(DIR, { vfs }))).toMatchObject([{ header: text }]);
      expect(printed(await Snapshot.verify(DIR, { vfs }))).toMatchObject([
        { info: { header: text } },
      ]);
      expect(structuredClone(image?.header)).toEqual({ ...image?.header });
    }));
});

function options(n: number): SnapshotWriteOptions {
  const uuid = new Uint8Array(16).fill(n);
  return { lsn: lsn(n), epoch: 1, uuid, databaseTimeMs: 1, chunks: [contents(n)] };
}

async function* asAsync(chunks: readonly Uint8Array[]) {
  for (const chunk of chunks) yield chunk;
}
